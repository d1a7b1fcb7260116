"""All that the pages of articles show, read for one of them or for fifty in the same few statements."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from blog.articles import series
from blog.articles.live import live
from blog.articles.models import Article, ArticleTopic, RelatedArticle
from blog.articles.series import Place
from blog.content.values import Site

#: How many related articles stand under a page.
CARDS = 3
#: Without what no card shows.
_AS_A_CARD = tuple(
    defer(column) for column in (Article.html, Article.contents, Article.headings, Article.pinned)
)


@dataclass(frozen=True)
class RelatedCard:
    """An article shown under another, and the line that says why."""

    article: Article
    reason: str
    kind: str


@dataclass(frozen=True)
class Shown:
    """An article, what is related to it, and where it stands in its series."""

    article: Article
    related: list[RelatedCard]
    place: Place | None


def shown(session: Session, slugs: Collection[str], site: Site, now: datetime) -> dict[str, Shown]:
    """Return what the page of each live article shows, by slug."""
    found = list(session.scalars(select(Article).where(Article.slug.in_(slugs), *live(now))))
    under = cards(session, found, now)
    places = series.places(session, found, site, now)
    return {article.slug: Shown(article, under[article.id], places.get(article.id)) for article in found}


def cards(
    session: Session, articles: Collection[Article], now: datetime, limit: int = CARDS
) -> dict[int, list[RelatedCard]]:
    """Return the articles to show under each of these, by its number, best first."""
    number = func.row_number().over(partition_by=RelatedArticle.article_id, order_by=RelatedArticle.position)
    # Those that have gone since do not count; to know it from the index alone spares reading their texts.
    ranked = (
        select(RelatedArticle, number.label("number"))
        .join(Article, Article.id == RelatedArticle.related_id)
        .with_hint(Article, "INDEXED BY ix_articles_live", "sqlite")
        .where(RelatedArticle.article_id.in_([article.id for article in articles]), *live(now))
        .subquery()
    )
    query = (
        select(ranked.c.article_id, Article, ranked.c.reason, ranked.c.kind)
        .join(ranked, ranked.c.related_id == Article.id)
        .where(ranked.c.number <= limit)
        .order_by(ranked.c.article_id, ranked.c.number)
        .options(*_AS_A_CARD)
    )
    found: dict[int, list[RelatedCard]] = {article.id: [] for article in articles}
    for under, card, reason, kind in session.execute(query):
        found[under].append(RelatedCard(card, reason, kind))
    return found


def subjects(session: Session, slugs: Collection[str], now: datetime) -> dict[str, str]:
    """Return what each live article is about: its first topic, or its slug when it has none."""
    first = (ArticleTopic.article_id == Article.id) & (ArticleTopic.position == 0)
    query = (
        select(Article.slug, ArticleTopic.topic)
        .outerjoin(ArticleTopic, first)
        .where(Article.slug.in_(slugs), *live(now))
    )
    return {slug: topic or slug for slug, topic in session.execute(query)}
