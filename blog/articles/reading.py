"""What pages, feeds and digests ask of the index; a draft or a future article is never in an answer."""

import difflib
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased, defer

from blog import clock
from blog.articles import redirects
from blog.articles.live import live
from blog.articles.models import (
    Article,
    ArticleTopic,
    ContentVersion,
    Page,
    Redirect,
    RelatedArticle,
)

#: A wrong address is compared with this many of the newest articles; anyone can ask for wrong addresses.
MOST_COMPARED = 2_000
LONGEST_SLUG = 100
#: An address that was cut off somewhere is the beginning of the right one.
SHORTEST_BEGINNING = 4


@dataclass(frozen=True)
class TopicCount:
    """A topic as the live articles use it."""

    slug: str
    name: str
    count: int
    latest_at: datetime


def article(session: Session, slug: str, now: datetime) -> Article | None:
    """Return the live article at an address."""
    return session.scalar(select(Article).where(Article.slug == slug, *live(now)))


def latest(session: Session, now: datetime, limit: int) -> list[Article]:
    """Return the newest live articles, whole."""
    return list(session.scalars(_newest_first(now).limit(limit)))


def in_topic(session: Session, topic: str, now: datetime, limit: int | None = None) -> list[Article]:
    """Return a topic's live articles, newest first: whole up to a limit, or all without their texts."""
    query = (
        _newest_first(now)
        .join(ArticleTopic, ArticleTopic.article_id == Article.id)
        .where(ArticleTopic.topic == topic)
    )
    return list(session.scalars(query.limit(limit) if limit else query.options(*_WITHOUT_TEXTS)))


def all_live(session: Session, now: datetime, limit: int | None = None) -> list[Article]:
    """Return every live article (or up to a limit), newest first, without its texts."""
    return list(session.scalars(_newest_first(now).options(*_WITHOUT_TEXTS).limit(limit)))


_WITHOUT_TEXTS = (defer(Article.html), defer(Article.text))


def _newest_first(now: datetime) -> Select[Article]:
    return select(Article).where(*live(now)).order_by(Article.published_at.desc(), Article.id.desc())


def topics(session: Session, now: datetime) -> list[TopicCount]:
    """Return the topics of the live articles, the most used first."""
    counted = (
        select(ArticleTopic.topic, func.count(), func.max(Article.published_at), func.max(Article.id))
        # Asked at the first page of every version: in the rows themselves, ten thousand texts lie between.
        .with_hint(Article, "INDEXED BY ix_articles_live", "sqlite")
        .where(Article.id == ArticleTopic.article_id, *live(now))
        .group_by(ArticleTopic.topic)
    )
    rows = session.execute(counted).all()
    names = topic_names(session, {newest for *_, newest in rows})
    found = [TopicCount(slug, names.get(slug, slug), count, latest_at) for slug, count, latest_at, _ in rows]
    return sorted(found, key=lambda topic: (-topic.count, topic.slug))


def topic_names(session: Session, articles: set[int]) -> dict[str, str]:
    """Return how the given articles write their topics, by slug."""
    names: dict[str, str] = {}
    for extra in session.scalars(select(Article.extra).where(Article.id.in_(articles)).order_by(Article.id)):
        names |= extra.get("topic_names", {})
    return names


def related_slugs(session: Session, now: datetime) -> dict[str, list[str]]:
    """Return what is related to every live article, as slugs."""
    found: dict[str, list[str]] = {slug: [] for slug in session.scalars(_slugs(now))}
    other = aliased(Article)
    query = (
        select(other.slug, Article.slug)
        .join(RelatedArticle, RelatedArticle.related_id == Article.id)
        .join(other, other.id == RelatedArticle.article_id)
        .where(*live(now))
        .order_by(RelatedArticle.article_id, RelatedArticle.position)
    )
    for slug, card in session.execute(query):
        if slug in found:
            found[slug].append(card)
    return found


def _slugs(now: datetime) -> Select[str]:
    return select(Article.slug).where(*live(now)).order_by(Article.published_at.desc(), Article.id.desc())


def gone(session: Session, slug: str, now: datetime | None = None) -> bool:
    """Whether an article was readable at this address and has been removed, or has expired, since."""
    now = now or clock.now()
    # Not "either or": for that PostgreSQL reads every article, and any stranger's mistyped address asks this.
    is_called = select(Article.id).where(Article.slug == slug)
    was_called = select(Redirect.article_id).where(Redirect.path == f"/articles/{slug}")
    known = select(Article.id).where(
        Article.id.in_(union_all(is_called, was_called)),
        Article.live_at <= now,
        or_(Article.removed_at.is_not(None), Article.expires_at <= now),
    )
    return session.scalar(known.limit(1)) is not None


def redirect_for(session: Session, path: str, now: datetime) -> str | None:
    """Return where an old address leads now, as a path."""
    return redirects.target(session, path, now)


def suggestions(session: Session, slug: str, now: datetime, limit: int = 3) -> list[Article]:
    """Return the articles somebody may have meant by a wrong address, the likeliest first."""
    wanted = slug[:LONGEST_SLUG].lower()
    slugs = list(session.scalars(_slugs(now).limit(MOST_COMPARED)))
    same = [known for known in slugs if _letters(known) == _letters(wanted)]
    begun = [known for known in slugs if len(wanted) >= SHORTEST_BEGINNING and known.startswith(wanted)]
    near = [*same, *begun, *difflib.get_close_matches(wanted, slugs, n=limit)]
    chosen = list(dict.fromkeys(near))[:limit]
    found = session.scalars(select(Article).where(Article.slug.in_(chosen)).options(*_WITHOUT_TEXTS))
    by_slug = {article.slug: article for article in found}
    return [by_slug[known] for known in chosen if known in by_slug]


def _letters(slug: str) -> str:
    return re.sub(r"[^a-z0-9]", "", slug)


def page(session: Session, slug: str) -> Page | None:
    """Return a standing page."""
    return session.get(Page, slug)


def pages(session: Session) -> list[Page]:
    """Return all standing pages, by title."""
    return list(session.scalars(select(Page).order_by(Page.title, Page.slug)))


def changed_at(session: Session, now: datetime) -> datetime | None:
    """Return when readers last saw something change: by a sync, or by a date that came."""
    kept = session.get(ContentVersion, 1)
    came = session.scalar(select(func.max(Article.live_at)).where(Article.live_at <= now))
    went = session.scalar(select(func.max(Article.expires_at)).where(Article.expires_at <= now))
    return max((moment for moment in (kept and kept.synced_at, came, went) if moment), default=None)


def version(session: Session) -> str:
    """Return what changes whenever anything published changes; empty before the first sync."""
    # Asked by every page: as a column, which takes a third of the time that a row as an object does.
    return session.scalar(select(ContentVersion.version)) or ""


def are_related(session: Session) -> bool:
    """Return whether the stored related articles belong to what is published now."""
    kept = session.execute(select(ContentVersion.version, ContentVersion.related_to)).first()
    return kept is None or kept.version == kept.related_to
