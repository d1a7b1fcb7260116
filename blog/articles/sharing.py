"""A link that shows one unpublished article to whoever holds it, until a moment that the link itself says."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from blog.articles.models import Article, ArticleStatus
from blog.tokens import ExpiredToken, Purpose, Tokens

USUAL_DAYS, MOST_DAYS = 14, 90


class State(StrEnum):
    """What a shared link leads to now."""

    OPEN = "open"
    PUBLISHED = "published"
    REMOVED = "removed"
    OVER = "over"
    INVALID = "invalid"


@dataclass(frozen=True)
class Shared:
    """What somebody sees who follows a shared link; the article only while it is to be seen."""

    state: State
    until: datetime | None = None
    article: Article | None = None


def find(session: Session, name: str) -> Article | None:
    """Return the article with this slug or file, whether readers can see it or not."""
    found = select(Article).where(or_(Article.slug == name, Article.source == name))
    return session.scalar(found.where(Article.removed_at.is_(None)).order_by(Article.slug == name).limit(1))


def token(tokens: Tokens, article: Article, now: datetime, days: int) -> tuple[str, datetime]:
    """Return the secret part of a link to an article, and when the link ends."""
    until = (now + timedelta(days=days)).replace(microsecond=0)
    return tokens.timed(Purpose.SHARE, [str(article.id), str(int(until.timestamp()))]), until


def look(session: Session, tokens: Tokens, given: str, now: datetime) -> Shared:
    """Return what a shared link shows at `now`."""
    try:
        # Whether its time is over, the signed moment says; the reader of tokens asks for some age.
        number, moment = map(int, tokens.read_timed(Purpose.SHARE, given, MOST_DAYS * 86_400 + 60))
        until = datetime.fromtimestamp(moment, UTC)
    except ExpiredToken:
        return Shared(State.OVER)
    except (
        ValueError,
        OverflowError,
        OSError,
    ):  # what is signed may still be nothing that this version signs
        return Shared(State.INVALID)
    article = session.get(Article, number)
    if article is None or article.removed_at:
        return Shared(State.REMOVED)
    if is_live(article, now):
        return Shared(State.PUBLISHED, until, article)
    if article.expires_at and article.expires_at <= now:
        return Shared(State.REMOVED)
    return Shared(State.OPEN, until, article) if now < until else Shared(State.OVER)


def is_live(article: Article, now: datetime) -> bool:
    """Whether readers can see an article at `now`: what `live` asks the database, of one row."""
    shown = article.status == ArticleStatus.PUBLISHED and article.removed_at is None
    begun = article.published_at <= now and article.live_at is not None and article.live_at <= now
    return shown and begun and (article.expires_at is None or article.expires_at > now)
