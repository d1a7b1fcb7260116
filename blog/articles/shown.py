"""All that the pages of articles show, read for one of them or for fifty in the same few statements."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, bindparam, func, select
from sqlalchemy.orm import Session

from blog.articles import series
from blog.articles.live import live
from blog.articles.models import Article, ArticleTopic, RelatedArticle
from blog.articles.series import Place
from blog.articles.wording import CARD_LENGTH
from blog.content.values import Site
from blog.db import UTCDateTime

#: How many related articles stand under a page.
CARDS = 3
#: More of a text than a card shows, whatever of it is white space.
_BEGINNING = 4 * CARD_LENGTH


class Brief(NamedTuple):
    """What a card says of an article, and no more; `text` is the beginning of it."""

    slug: str
    title: str
    language: str
    text: str
    excerpt: str
    published_at: datetime
    minutes: int


@dataclass(frozen=True)
class RelatedCard:
    """An article shown under another, and the line that says why."""

    article: Brief
    reason: str
    kind: str


@dataclass(frozen=True)
class Shown:
    """An article, what is related to it, and where it stands in its series."""

    article: Article
    related: list[RelatedCard]
    place: Place | None


def _related() -> Select[*tuple[Any, ...]]:
    number = func.row_number().over(partition_by=RelatedArticle.article_id, order_by=RelatedArticle.position)
    # Those that have gone since do not count; to know it from the index alone spares reading their texts.
    ranked = (
        select(RelatedArticle, number.label("number"))
        .join(Article, Article.id == RelatedArticle.related_id)
        .with_hint(Article, "INDEXED BY ix_articles_live", "sqlite")
        .where(RelatedArticle.article_id.in_(bindparam("articles", expanding=True)), *live(_NOW))
        .subquery()
    )
    columns = (
        *(Article.slug, Article.title, Article.language, func.substr(Article.text, 1, _BEGINNING)),
        *(Article.excerpt, Article.published_at, Article.minutes),
    )
    return (
        select(ranked.c.article_id, ranked.c.reason, ranked.c.kind, *columns)
        .join(ranked, ranked.c.related_id == Article.id)
        .where(ranked.c.number <= bindparam("limit", type_=Integer))
        .order_by(ranked.c.article_id, ranked.c.number)
    )


# Put together once: what they are does not depend on the page.
_NOW = bindparam("now", type_=UTCDateTime)
_OF_THESE = Article.slug.in_(bindparam("slugs", expanding=True)), *live(_NOW)
_NAMED = select(Article).where(*_OF_THESE)
_UNDER = _related()
_SUBJECTS = (
    select(Article.slug, ArticleTopic.topic)
    .outerjoin(ArticleTopic, (ArticleTopic.article_id == Article.id) & (ArticleTopic.position == 0))
    .where(*_OF_THESE)
)


def shown(session: Session, slugs: Collection[str], site: Site, now: datetime) -> dict[str, Shown]:
    """Return what the page of each live article shows, by slug."""
    found = list(session.scalars(_NAMED, {"slugs": list(slugs), "now": now}))
    under = cards(session, found, now)
    places = series.places(session, found, site, now)
    return {article.slug: Shown(article, under[article.id], places.get(article.id)) for article in found}


def cards(
    session: Session, articles: Collection[Article], now: datetime, limit: int = CARDS
) -> dict[int, list[RelatedCard]]:
    """Return the articles to show under each of these, by its number, best first."""
    found: dict[int, list[RelatedCard]] = {article.id: [] for article in articles}
    wanted = {"articles": list(found), "now": now, "limit": limit}
    for under, reason, kind, *brief in session.execute(_UNDER, wanted):
        found[under].append(RelatedCard(Brief(*brief), reason, kind))
    return found


def subjects(session: Session, slugs: Collection[str], now: datetime) -> dict[str, str]:
    """Return what each live article is about: its first topic, or its slug when it has none."""
    rows = session.execute(_SUBJECTS, {"slugs": list(slugs), "now": now})
    return {slug: topic or slug for slug, topic in rows}
