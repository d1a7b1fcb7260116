"""When what readers see of the index changes: by a sync, or by an article's own dates."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from blog.articles.models import Article, ArticleStatus, ContentVersion

_MOMENTS: tuple[InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None], ...] = (
    Article.published_at,
    Article.live_at,
    Article.expires_at,
)


class Mark(NamedTuple):
    """What changes whenever the index changes."""

    version: str
    related_to: str
    synced_at: datetime


class Moments(NamedTuple):
    """When an article last appeared or went by its own date, and when one next will."""

    last: datetime | None
    next: datetime | None


def mark(session: Session) -> Mark | None:
    """Return the mark of the index as it is; None before the first sync."""
    columns = (ContentVersion.version, ContentVersion.related_to, ContentVersion.synced_at)
    row = session.execute(select(*columns)).first()
    return Mark(*row) if row else None


def around(session: Session, now: datetime) -> Moments:
    """Return the moments next to `now`; asked once per change, since it reads every article's row."""
    asked = [func.max(column).filter(column <= now) for column in _MOMENTS]
    asked += [func.min(column).filter(column > now) for column in _MOMENTS]
    row = session.execute(select(*asked).where(*_published())).one()
    last, coming = row[: len(_MOMENTS)], row[len(_MOMENTS) :]
    return Moments(
        max((moment for moment in last if moment), default=None),
        min((moment for moment in coming if moment), default=None),
    )


def _published() -> tuple[ColumnElement[bool], ...]:
    return (Article.status == ArticleStatus.PUBLISHED, Article.removed_at.is_(None))
