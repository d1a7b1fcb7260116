"""Which articles have all words of a search: found by the index of the database, in a coarse order.

A match in the title comes before one in the keys, and that before one in the body; then what is newest.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from blog.articles import pairs, search_texts
from blog.articles.asked import Term
from blog.articles.live import live
from blog.articles.models import Article, SearchText
from blog.db import UTCDateTime

#: PostgreSQL does not know that reading a text is dear: at a word that half of the articles have it would
#: cut every one of them into words, 500 ms instead of 5.
_BY_INDEX = text("SET LOCAL enable_seqscan = off")


def candidates(
    session: Session, wanted: Sequence[Term], now: datetime, most: int, skip: int = 0
) -> Sequence[Row[int, datetime, int]]:
    """Return `most` of the live articles with all words: id, date of publication, and how many there are."""
    values = {"now": now, "most": most, "skip": skip}
    if session.get_bind().dialect.name == "sqlite":
        return session.execute(_on_sqlite(), values | _for_sqlite(wanted)).all()
    session.execute(_BY_INDEX)
    phrases = [term.words for term in wanted if len(term.words) > 1]
    statement = _on_postgresql(tuple(map(len, phrases)))
    return session.execute(statement, values | _for_postgresql(wanted, phrases)).all()


def _statement(
    body: ColumnElement[bool], keys: ColumnElement[bool], title: ColumnElement[bool]
) -> Select[int, datetime, int]:
    places = case((title, 2), else_=0) + case((keys, 1), else_=0)
    return (
        select(Article.id, Article.published_at, func.count().over().label("total"))
        .with_hint(Article, "INDEXED BY ix_articles_live", "sqlite")
        .where(body, *live(bindparam("now", type_=UTCDateTime())))
        .order_by(places.desc(), Article.published_at.desc(), Article.id.desc())
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )


@cache
def _on_sqlite() -> Select[int, datetime, int]:
    index = table("search_index", literal_column("rowid"))
    body, keys, title = (
        Article.id.in_(
            select(literal_column("rowid"))
            .select_from(index)
            .where(literal_column("search_index").op("MATCH")(bindparam(name)))
        )
        for name in ("body", "keys", "title")
    )
    return _statement(body, keys, title)


def _for_sqlite(wanted: Sequence[Term]) -> dict[str, str]:
    asked = " AND ".join(f'"{" ".join(term.words)}"{"*" if term.is_open else ""}' for term in wanted)
    # All that is in one column is in the body: without a column FTS5 has no places to sort out.
    return {"body": asked, "keys": f"keys : ({asked})", "title": f"title : ({asked})"}


@cache
def _on_postgresql(phrases: tuple[int, ...]) -> Select[int, datetime, int]:
    """Return the statement for phrases of so many words each."""
    body, keys, title = (_in_postgresql(column, phrases) for column in ("body", "keys", "title"))
    return _statement(body, keys, title)


def _in_postgresql(column: str, phrases: tuple[int, ...]) -> ColumnElement[bool]:
    # Word for word as the index has it: a bound space would not be recognised once a plan is kept.
    vector: ColumnElement[Any] = literal_column(
        f"array_to_tsvector(string_to_array(search_texts.{column}, ' '))"
    )
    held = [_holds(column, number, length) for number, length in enumerate(phrases)]
    found = select(SearchText.article_id).where(vector.op("@@")(text("CAST(:asked AS tsquery)")), *held)
    # By itself, so that it is the index that answers and not a look at one text after another.
    alone = found.cte(f"in_{column}").prefix_with("MATERIALIZED")
    return Article.id.in_(select(alone.c.article_id))


def _holds(column: str, number: int, length: int) -> ColumnElement[bool]:
    """Whether a column has a phrase; the text is read only where the picture of its pairs leaves it open."""
    padded: ColumnElement[str] = literal_column(f"(' ' || search_texts.{column} || ' ')")
    names = [f"bit_{number}_{place}" for place in range(2 * (length - 1))]
    missing = or_(*(func.get_bit(SearchText.pairs, bindparam(name)) == 0 for name in names))
    # Older code changes a text and leaves its picture; what it has made says so.
    is_ours = func.starts_with(SearchText.made_from, search_texts.EDITIONS["postgresql"])
    return case(
        (and_(is_ours, missing), false()),
        else_=func.strpos(padded, bindparam(f"phrase_{number}")) > 0,
    )


def _for_postgresql(wanted: Sequence[Term], phrases: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    asked = (f"'{word}'{':*' if term.is_open else ''}" for term in wanted for word in term.words)
    values: dict[str, Any] = {"asked": " & ".join(asked)}
    for number, phrase in enumerate(phrases):
        values[f"phrase_{number}"] = f" {' '.join(phrase)} "
        values |= {f"bit_{number}_{place}": bit for place, bit in enumerate(pairs.bits(phrase))}
    return values
