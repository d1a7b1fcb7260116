"""Which articles have all words of a search: found by the index of the database, in a coarse order.

A match in the title comes before one in the keys, and that before one in the body; then what is newest. What
is in the title is in the keys too, and that in the body: so these are asked one after the other, and only
until there are enough.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Select, bindparam, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from blog.articles import phrases
from blog.articles.asked import Term
from blog.articles.live import live, withheld
from blog.articles.models import Article, SearchText
from blog.db import UTCDateTime

FIELDS = ("title", "keys", "body")
#: PostgreSQL does not know that reading a text is dear: at a word that half of the articles have it would
#: cut every one of them into words, 500 ms instead of 5.
_BY_INDEX = text("SET LOCAL enable_seqscan = off")
_NOW = bindparam("now", type_=UTCDateTime())


def candidates(
    session: Session, wanted: Sequence[Term], now: datetime, most: int, skip: int = 0
) -> tuple[dict[int, datetime], int]:
    """Return `most` of the live articles with all words, each with its date, and how many there are."""
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        session.execute(_BY_INDEX)
        if any(len(term.words) > 1 for term in wanted):
            return phrases.candidates(session, wanted, now, most, skip)
    values = {"now": now, "most": skip + most} | _asked(dialect, wanted)
    total = session.scalar(_count(dialect), values) or 0
    # Nobody asks for the order of all there are.
    fields = FIELDS if total > most else FIELDS[-1:]
    found: dict[int, datetime] = {}
    for field in fields:
        if len(found) < min(skip + most, total):
            found |= dict(session.execute(_newest(dialect, field), values).all())
    return dict(islice(found.items(), skip, skip + most)), total


def _asked(dialect: str, wanted: Sequence[Term]) -> dict[str, str]:
    if dialect == "postgresql":
        return {"asked": phrases.asked(wanted)}
    asked = " AND ".join(f'"{" ".join(term.words)}"{"*" if term.is_open else ""}' for term in wanted)
    # All that is in one column is in the body: without a column FTS5 has no places to sort out.
    return {"body": asked, "keys": f"keys : ({asked})", "title": f"title : ({asked})"}


@cache
def _count(dialect: str) -> Select[int]:
    """Return how many there are: those that are withheld are few, and sooner looked up than all others."""
    found = _having(dialect, "body")
    (number,) = found.selected_columns
    return select(func.count()).select_from(found.where(number.not_in(withheld(_NOW))).subquery())


@cache
def _newest(dialect: str, field: str) -> Select[int, datetime]:
    # By itself (for that it has an offset), so that it is the index that answers, and that once.
    alone = _having(dialect, field).offset(literal_column("0")).subquery()
    return (
        select(Article.id, Article.published_at)
        .with_hint(Article, "INDEXED BY ix_articles_live", "sqlite")
        .join_from(alone, Article, Article.id == alone.c.article_id)
        .where(*live(_NOW))
        .order_by(Article.published_at.desc(), Article.id.desc())
        .limit(bindparam("most"))
    )


def _having(dialect: str, field: str) -> Select[int]:
    if dialect == "postgresql":
        return select(SearchText.article_id).where(phrases.has_words(field))
    number: Any = literal_column("rowid").label("article_id")
    matches = literal_column("search_index").op("MATCH")(bindparam(field))
    return select(number).select_from(table("search_index")).where(matches)
