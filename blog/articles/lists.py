"""The articles of a topic, an author or a series: a page of them, the newest of them, or all of a series."""

import json
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Generic, NamedTuple, TypeVar, TypeVarTuple

from sqlalchemy import BindParameter, ColumnElement, Select, Text, bindparam, cast, false, func, or_, select
from sqlalchemy.orm import Session, defer

from blog.articles.live import live
from blog.articles.models import Article, ArticleTopic

#: How many articles a page of a topic or an author holds.
PAGE = 40
#: The archive is one line per article: below this many, one page is easier to search than several.
ARCHIVE_PAGE = 2_000

Choice = ColumnElement[bool]
Columns = TypeVarTuple("Columns")
_NEWEST_FIRST = Article.published_at.desc(), Article.id.desc()
#: What no item of a list shows.
NOT_IN_ITEMS = ("html", "text", "contents", "headings", "pinned")
_AS_AN_ITEM = tuple(defer(getattr(Article, name)) for name in NOT_IN_ITEMS)


@dataclass(frozen=True)
class Line:
    """What the archive says of an article, and no more: it says so of two thousand on a page."""

    slug: str
    title: str
    language: str
    published_at: datetime
    extra: dict[str, Any]
    topic: str | None


class Named(NamedTuple):
    """A topic of an article."""

    topic: str


class Entry(NamedTuple):
    """What a list can say of an article: all but its text. As objects, forty of them take twice the time."""

    id: int
    slug: str
    title: str
    description: str
    excerpt: str
    language: str
    authors: list[str]
    series: str | None
    extra: dict[str, Any]
    words: int
    minutes: int
    published_at: datetime
    updated_at: datetime | None
    topics: Sequence[Named]


_THESE: BindParameter[Any] = bindparam("ids", expanding=True)
_ENTRIES = (
    select(*(getattr(Article, name) for name in Entry._fields if name != "topics"))
    .where(Article.id.in_(_THESE))
    .order_by(*_NEWEST_FIRST)
)
_TOPICS = (
    select(ArticleTopic.article_id, ArticleTopic.topic)
    .where(ArticleTopic.article_id.in_(_THESE))
    .order_by(ArticleTopic.article_id, ArticleTopic.position)
)


Item = TypeVar("Item", Entry, Line)


@dataclass(frozen=True)
class Chosen:
    """Which articles a list is made of, the newest first, and since when there are any."""

    ids: "array[int]"
    since: datetime | None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Listed(Generic[Item]):
    """One page of a list, and how much there is in all."""

    articles: list[Item]
    number: int
    pages: int
    total: int
    since: datetime | None


def everything() -> Choice:
    """Choose all articles."""
    return Article.id.is_not(None)


def of_topic(topic: str) -> Choice:
    """Choose the articles of a topic."""
    return Article.id.in_(select(ArticleTopic.article_id).where(ArticleTopic.topic == topic))


def signed_by(names: Iterable[str]) -> Choice:
    """Choose the articles that one of these names signs."""
    # The column is JSON text on both databases; a name between its quotes stands there only as a whole name.
    column = cast(Article.authors, Text)
    return or_(false(), *(column.contains(json.dumps(name), autoescape=True) for name in names))


def in_series(names: Iterable[str]) -> Choice:
    """Choose the articles of a series, however its name is written."""
    return Article.series.in_(list(names))


def chosen(session: Session, choice: Choice, now: datetime) -> Chosen:
    """Return which live articles are chosen."""
    since = session.scalar(_from_index(select(func.min(Article.published_at)), choice, now))
    ids = _from_index(select(Article.id), choice, now).order_by(*_NEWEST_FIRST)
    return Chosen(array("q", session.scalars(ids)), since)


def page(session: Session, those: Chosen, number: int) -> Listed[Entry] | None:
    """Return a page of chosen articles, newest first; the first is there, None beyond the last."""
    return _page(session, those, number, PAGE, _entries)


def archive(session: Session, those: Chosen, number: int) -> Listed[Line] | None:
    """Return a page of the archive: of chosen articles, newest first, a line each."""
    return _page(session, those, number, ARCHIVE_PAGE, _lines)


def _page(
    session: Session,
    those: Chosen,
    number: int,
    size: int,
    read: Callable[[Session, list[int]], list[Item]],
) -> Listed[Item] | None:
    pages = max(1, ceil(len(those) / size))
    if not 1 <= number <= pages:
        return None
    ids = list(those.ids[(number - 1) * size : number * size])
    return Listed(read(session, ids), number, pages, len(those), those.since)


def _entries(session: Session, ids: list[int]) -> list[Entry]:
    topics: dict[int, list[Named]] = {number: [] for number in ids}
    for number, topic in session.execute(_TOPICS, {"ids": ids}):
        topics[number].append(Named(topic))
    return [Entry._make((*row, topics[row.id])) for row in session.execute(_ENTRIES, {"ids": ids})]


def _lines(session: Session, ids: list[int]) -> list[Line]:
    """Read the columns alone: as objects, 2,000 articles with their topics take fifteen megabytes."""
    topic = (ArticleTopic.article_id == Article.id) & (ArticleTopic.position == 0)
    columns = (Article.slug, Article.title, Article.language, Article.published_at, Article.extra)
    query = select(*columns, ArticleTopic.topic).outerjoin(ArticleTopic, topic).where(Article.id.in_(ids))
    return [Line(*row) for row in session.execute(query.order_by(*_NEWEST_FIRST))]


def _from_index(query: Select[*Columns], choice: Choice, now: datetime) -> Select[*Columns]:
    """Ask of the chosen live articles what the index knows: their rows lie behind ten thousand texts."""
    return query.with_hint(Article, "INDEXED BY ix_articles_live", "sqlite").where(choice, *live(now))


def newest(session: Session, choice: Choice, now: datetime, limit: int) -> list[Article]:
    """Return the newest of the chosen live articles, whole."""
    # Chosen from the index: to sort a topic by its rows is to read the texts of all its articles.
    chosen = _from_index(select(Article.id), choice, now).order_by(*_NEWEST_FIRST).limit(limit)
    return list(session.scalars(select(Article).where(Article.id.in_(chosen)).order_by(*_NEWEST_FIRST)))


def in_order(session: Session, choice: Choice, now: datetime) -> list[Article]:
    """Return the chosen live articles in the order they were published, without their texts."""
    query = select(Article).where(choice, *live(now)).order_by(Article.published_at, Article.id)
    return list(session.scalars(query.options(*_AS_AN_ITEM)))
