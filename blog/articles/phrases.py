"""Words that stand side by side, on PostgreSQL, whose index knows the words of a text and not their places.

A text is read only where the picture of its pairs leaves it open, and then all is asked of it at once.
(FTS5 knows places.)
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import islice, pairwise
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
    true,
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
        values |= {
            f"phrase_{number}": f" {' '.join(phrase)} ",
            f"mark_{number}": _quoted(pairs.mark(*phrase)),
        }
        values |= {f"bit_{number}_{place}": bit for place, bit in enumerate(pairs.bits(phrase))}
    for number, term in enumerate(wanted):
        values[f"term_{number}"] = f" {' '.join(term.words)}{'' if term.is_open else ' '}"
    rows = session.execute(_statement(tuple(map(len, said)), len(wanted)), values).all()
    return {row.id: row.published_at for row in islice(rows, skip, skip + most)}, rows[0].total if rows else 0


def asked(wanted: Sequence[Term]) -> str:
    """Return all words of a search as a `tsquery`, with what the marks say of those side by side."""
    words = [_quoted(word) + (":*" if term.is_open else "") for term in wanted for word in term.words]
    return " & ".join([*words, *(_side_by_side(*pair) for term in wanted for pair in pairwise(term.words))])


def _side_by_side(word: str, other: str) -> str:
    """Return the condition of a text that has two words side by side, or that says one of them seldom."""
    both, one, two = map(_quoted, (pairs.mark(word, other), pairs.mark(word), pairs.mark(other)))
    return f"({both} | !{one} | !{two})"


def _quoted(word: str) -> str:
    return f"'{word}'"


def has_words(field: str, asked: str = "asked") -> ColumnElement[bool]:
    """Return the condition of a text that has all words asked for, as the index knows it."""
    # Word for word as the index has it: a bound space would not be recognised once a plan is kept.
    vector: ColumnElement[Any] = literal_column(
        f"array_to_tsvector(string_to_array(search_texts.{field}, ' '))"
    )
    return vector.op("@@")(text(f"CAST(:{asked} AS tsquery)"))


@cache
def _statement(lengths: tuple[int, ...], terms: int) -> Select[int, datetime, int]:
    """Return the statement for phrases of so many words each, among so many terms."""
    places = case((_has_all("title", terms), 2), (_has_all("keys", terms), 1), else_=0)
    held = [_holds(number, length) for number, length in enumerate(lengths)]
    found = select(SearchText.article_id, places.label("places")).where(has_words("body"), *held)
    # By itself (for that it has an offset), so that it is the index that answers, and that once.
    alone = found.offset(literal_column("0")).subquery()
    # Looked up one by one: the plan cannot know how few of them have a phrase, and would read all articles.
    named = select(Article.id, Article.published_at).where(Article.id == alone.c.article_id)
    article = named.where(*live(bindparam("now", type_=UTCDateTime()))).offset(literal_column("0")).lateral()
    return (
        select(article.c.id, article.c.published_at, func.count().over().label("total"))
        .select_from(alone.join(article, true()))
        .order_by(alone.c.places.desc(), article.c.published_at.desc(), article.c.id.desc())
        .limit(bindparam("most"))
    )


def _has_all(field: str, terms: int) -> ColumnElement[bool]:
    padded: ColumnElement[str] = literal_column(f"(' ' || search_texts.{field} || ' ')")
    return and_(*(func.strpos(padded, bindparam(f"term_{number}")) > 0 for number in range(terms)))


def _holds(number: int, length: int) -> ColumnElement[bool]:
    """Whether a text has a phrase; it is read only where its marks and the picture leave it open."""
    padded: ColumnElement[str] = literal_column("(' ' || search_texts.body || ' ')")
    names = [f"bit_{number}_{place}" for place in range(pairs.EACH * (length - 1))]
    missing = or_(*(func.get_bit(SearchText.pairs, bindparam(name)) == 0 for name in names))
    # Older code changes a text and leaves its picture; what it has made says so.
    is_ours = func.starts_with(SearchText.made_from, search_texts.EDITIONS["postgresql"])
    # `strpos` would also count all characters before what it has found.
    before = func.split_part(padded, bindparam(f"phrase_{number}"), 1)
    is_read_there = func.octet_length(before) < func.octet_length(SearchText.body) + 2
    held = case((and_(is_ours, missing), false()), else_=is_read_there)
    if length > 2:
        return held
    vouched_for = select(SearchText.article_id).where(has_words("body", f"mark_{number}"))
    return case((SearchText.article_id.in_(vouched_for), true()), else_=held)
