"""Words that stand side by side, on PostgreSQL, whose index knows the words of a text and not their places.

A text is read only where the picture of its pairs leaves it open, and then all is asked of it at once.
(FTS5 knows places.)
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session

from blog.articles import pairs, search_texts
from blog.articles.asked import Term
from blog.articles.live import live
from blog.articles.models import Article, SearchText
from blog.db import UTCDateTime


def candidates(
    session: Session, wanted: Sequence[Term], now: datetime, most: int, skip: int
) -> tuple[dict[int, datetime], int]:
    """Return `most` of the live articles with all words and phrases, as `blog.articles.candidates` does."""
    said = [term.words for term in wanted if len(term.words) > 1]
    # Without a row there is no count either.
    values: dict[str, Any] = {"now": now, "most": max(skip + most, 1), "asked": asked(wanted)}
    for number, phrase in enumerate(said):
        values[f"phrase_{number}"] = f" {' '.join(phrase)} "
        values |= {f"bit_{number}_{place}": bit for place, bit in enumerate(pairs.bits(phrase))}
    for number, term in enumerate(wanted):
        values[f"term_{number}"] = f" {' '.join(term.words)}{'' if term.is_open else ' '}"
    rows = session.execute(_statement(tuple(map(len, said)), len(wanted)), values).all()
    return {row.id: row.published_at for row in islice(rows, skip, skip + most)}, rows[0].total if rows else 0


def asked(wanted: Sequence[Term]) -> str:
    """Return all words of a search as a `tsquery`."""
    return " & ".join(f"'{word}'{':*' if term.is_open else ''}" for term in wanted for word in term.words)


def has_words(field: str) -> ColumnElement[bool]:
    """Return the condition of a text that has all words asked for, as the index knows it."""
    # Word for word as the index has it: a bound space would not be recognised once a plan is kept.
    vector: ColumnElement[Any] = literal_column(
        f"array_to_tsvector(string_to_array(search_texts.{field}, ' '))"
    )
    return vector.op("@@")(text("CAST(:asked AS tsquery)"))


@cache
def _statement(lengths: tuple[int, ...], terms: int) -> Select[int, datetime, int]:
    """Return the statement for phrases of so many words each, among so many terms."""
    places = case((_has_all("title", terms), 2), (_has_all("keys", terms), 1), else_=0)
    held = [_holds(number, length) for number, length in enumerate(lengths)]
    found = select(SearchText.article_id, places.label("places")).where(has_words("body"), *held)
    # By itself (for that it has an offset), so that it is the index that answers, and that once.
    alone = found.offset(literal_column("0")).subquery()
    return (
        select(Article.id, Article.published_at, func.count().over().label("total"))
        .join_from(alone, Article, Article.id == alone.c.article_id)
        .where(*live(bindparam("now", type_=UTCDateTime())))
        .order_by(alone.c.places.desc(), Article.published_at.desc(), Article.id.desc())
        .limit(bindparam("most"))
    )


def _has_all(field: str, terms: int) -> ColumnElement[bool]:
    padded: ColumnElement[str] = literal_column(f"(' ' || search_texts.{field} || ' ')")
    return and_(*(func.strpos(padded, bindparam(f"term_{number}")) > 0 for number in range(terms)))


def _holds(number: int, length: int) -> ColumnElement[bool]:
    """Whether a text has a phrase; it is read only where the picture of its pairs leaves it open."""
    padded: ColumnElement[str] = literal_column("(' ' || search_texts.body || ' ')")
    names = [f"bit_{number}_{place}" for place in range(2 * (length - 1))]
    missing = or_(*(func.get_bit(SearchText.pairs, bindparam(name)) == 0 for name in names))
    # Older code changes a text and leaves its picture; what it has made says so.
    is_ours = func.starts_with(SearchText.made_from, search_texts.EDITIONS["postgresql"])
    return case(
        (and_(is_ours, missing), false()),
        else_=func.strpos(padded, bindparam(f"phrase_{number}")) > 0,
    )
