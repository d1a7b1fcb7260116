"""Search: the same articles in the same order on both databases.

The index of the database finds, as every word is in it; a coarse order (where the words stand, then what is
newest) chooses the best sixty; those are read and ranked here, in the same way whatever the database.
PostgreSQL's own ranking knows no rarity and would read every text that has a common word; FTS5's differs.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from blog.articles import ranking, snippets, spelling
from blog.articles.asked import Term, terms
from blog.articles.candidates import candidates
from blog.articles.live import live
from blog.articles.models import Article, ArticleTopic, SearchText
from blog.articles.snippets import Pieces
from blog.db import UTCDateTime, among

#: So many are read and ranked; whatever comes behind them keeps the coarse order.
RANKED = 60


class Hit(NamedTuple):
    """What a page of results says of an article; `topic` is its first, if it has one."""

    id: int
    slug: str
    title: str
    description: str
    excerpt: str
    text: str
    language: str
    published_at: datetime
    minutes: int
    extra: dict[str, Any]
    topic: str | None


@dataclass(frozen=True)
class Result:
    """An article that was found; its title and a part of its text, cut where a hit begins or ends."""

    article: Hit
    title: Pieces
    snippet: Pieces


@dataclass(frozen=True)
class Found:
    """One page of results, how many there are in all, and what was probably meant when there are none."""

    results: list[Result] = field(default_factory=list)
    total: int = 0
    suggestion: str | None = None


def search(session: Session, query: str, now: datetime, limit: int = 20, offset: int = 0) -> Found:
    """Return the live articles that have all words of a query, the best first."""
    wanted = terms(query)
    if not wanted:
        return Found()
    ids, total = _page(session, wanted, now, limit, offset)
    if total == 0:
        return Found(suggestion=_suggestion(session, wanted, now))
    rows = session.execute(_hits(session.get_bind().dialect.name), {"ids": ids, "now": now})
    by_id = {hit.id: hit for hit in map(Hit._make, rows)}
    shown = [by_id[number] for number in ids if number in by_id]
    sought = snippets.forms(wanted)
    return Found([_result(article, sought) for article in shown], total)


def _page(
    session: Session, wanted: list[Term], now: datetime, limit: int, offset: int
) -> tuple[list[int], int]:
    """Return one page and the count of all: the first sixty ranked, the others as they come."""
    first, total = candidates(session, wanted, now, RANKED)
    ranked: list[int] = []
    if offset < len(first):
        texts = session.execute(_texts(session.get_bind().dialect.name), {"ids": list(first)})
        rarity = spelling.rarity(session, wanted)
        ranked = ranking.ranked(texts.all(), first, wanted, rarity, now)[offset : offset + limit]
    missing = min(limit, total - offset) - len(ranked)
    if missing > 0:
        ranked += candidates(session, wanted, now, missing, max(offset, RANKED))[0]
    return ranked, total


@cache
def _texts(dialect: str) -> Select[int, str, str, str]:
    columns = (SearchText.article_id, SearchText.title, SearchText.keys, SearchText.body)
    return select(*columns).where(among(dialect, SearchText.article_id, "ids"))


@cache
def _hits(dialect: str) -> Select[Any]:
    """Return the columns alone: objects take longer to make, and their topics a statement of their own."""
    return (
        select(
            *(Article.id, Article.slug, Article.title, Article.description, Article.excerpt, Article.text),
            *(Article.language, Article.published_at, Article.minutes, Article.extra, ArticleTopic.topic),
        )
        .outerjoin(ArticleTopic, (ArticleTopic.article_id == Article.id) & (ArticleTopic.position == 0))
        .where(among(dialect, Article.id, "ids"), *live(bindparam("now", type_=UTCDateTime())))
    )


def _suggestion(session: Session, wanted: list[Term], now: datetime) -> str | None:
    """Return the query with its unknown words mended, when a reader can find something with it."""
    mended = spelling.mended(session, wanted)
    if not mended:
        return None
    return mended if candidates(session, terms(mended), now, 0)[1] else None


def _result(article: Hit, sought: list[Term]) -> Result:
    title = snippets.marked(article.title, sought)
    prose = article.text or article.excerpt
    return Result(article, title, snippets.snippet(prose, article.description, sought))
