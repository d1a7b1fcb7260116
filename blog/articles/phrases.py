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
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from blog.articles import pairs, search_texts
from blog.articles.asked import Term
from blog.articles.live import live
from blog.articles.models import Article, SearchPairs, SearchText
from blog.db import UTCDateTime

_NOW = bindparam("now", type_=UTCDateTime())


def candidates(
    session: Session, wanted: Sequence[Term], now: datetime, most: int, skip: int
) -> tuple[dict[int, datetime], int]:
    """Return `most` of the live articles with all words and phrases, as `blog.articles.candidates` does."""
    said = [term.words for term in wanted if len(term.words) > 1]
    marks = " & ".join(_quoted(pairs.mark(*phrase)) for phrase in said if len(phrase) == 2)
    # Without a row there is no count either.
    values: dict[str, Any] = {"now": now, "most": max(skip + most, 1), "few": most, "words": _words(wanted)}
    values |= {"sure": f"{_words(wanted)} & {marks}", "open": f"{asked(wanted)} & !({marks})"}
    if any(len(phrase) > 2 for phrase in said):  # of these no mark tells all
        values |= {"sure": "", "open": asked(wanted)}
    values |= {f"phrase_{place}": f" {' '.join(phrase)} " for place, phrase in enumerate(said)}
    numbers = [number for phrase in said for number in pairs.numbers(phrase)]
    values |= {f"number_{place}": number for place, number in enumerate(numbers)}
    for place, term in enumerate(wanted):
        values[f"term_{place}"] = f" {' '.join(term.words)}{'' if term.is_open else ' '}"
    rows = session.execute(_statement(len(said), len(numbers), len(wanted)), values).all()
    return {row.id: row.published_at for row in islice(rows, skip, skip + most)}, rows[0].total if rows else 0


def asked(wanted: Sequence[Term]) -> str:
    """Return all words of a search as a `tsquery`, with what the marks say of those side by side."""
    return " & ".join(
        [_words(wanted), *(_side_by_side(*pair) for term in wanted for pair in pairwise(term.words))]
    )


def _words(wanted: Sequence[Term]) -> str:
    return " & ".join(
        _quoted(word) + (":*" if term.is_open else "") for term in wanted for word in term.words
    )


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
def _statement(phrases: int, numbers: int, terms: int) -> Select[int, datetime, int]:
    """Return the statement for so many phrases, whose pairs have so many numbers, among so many terms."""
    sure = select(SearchText.article_id).where(has_words("body", "sure"))
    read = _those(_left_open(numbers), [_holds(place) for place in range(phrases)])
    held = union_all(sure, read).cte("held")
    # There are hardly ever more than are asked for: then nobody looks where their words stand.
    are_many = select(func.count() > bindparam("few")).select_from(held).scalar_subquery()
    titled = _those(_known("title", held), _has_all("title", terms)).where(are_many)
    keyed = _those(_drawn("keys", _known("keys", held), numbers), _has_all("keys", terms)).where(are_many)
    places = case((Article.id.in_(titled), 2), (Article.id.in_(keyed), 1), else_=0)
    return (
        select(Article.id, Article.published_at, func.count().over().label("total"))
        .where(_is_one_of(Article.id, select(held.c.article_id)), *live(_NOW))
        .order_by(places.desc(), Article.published_at.desc(), Article.id.desc())
        .limit(bindparam("most"))
    )


def _left_open(numbers: int) -> Select[int]:
    """Return the texts of which neither the index nor their pictures say whether they have all phrases."""
    # Older code changes a text and leaves its pictures; what it has made says so.
    is_ours = func.starts_with(SearchText.made_from, search_texts.EDITIONS["postgresql"]).label("is_ours")
    found = select(SearchText.article_id, is_ours).where(has_words("body", "open")).cte("found")
    drawn = _drawn("body", select(found.c.article_id).where(found.c.is_ours), numbers)
    both = union_all(drawn, select(found.c.article_id).where(~found.c.is_ours)).subquery()
    return select(both.c.article_id)


def _known(field: str, held: CTE) -> Select[int]:
    """Return those of the texts held of which the index says that they have all words in a field."""
    has_them = select(SearchText.article_id).where(has_words(field, "words"))
    both = has_them.intersect(select(held.c.article_id)).subquery()
    return select(both.c.article_id)


def _drawn(field: str, some: Select[int], numbers: int) -> Select[int]:
    """Return those of some texts that have all pairs in a field, as far as its picture shows."""
    picture = getattr(SearchPairs, field)
    size = 8 * func.octet_length(picture)
    asked_for = (bindparam(f"number_{place}", type_=BigInteger()) for place in range(numbers))
    bits = (func.get_bit(picture, func.mod(number, size)) == 1 for number in asked_for)
    return select(SearchPairs.article_id).where(_is_one_of(SearchPairs.article_id, some), *bits)


def _those(some: Select[int], conditions: Sequence[ColumnElement[bool]]) -> Select[int]:
    """Return those of some texts that fulfil conditions for which they are read."""
    return select(SearchText.article_id).where(_is_one_of(SearchText.article_id, some), *conditions)


def _holds(place: int) -> ColumnElement[bool]:
    """Whether a text has a phrase."""
    padded: ColumnElement[str] = literal_column("(' ' || search_texts.body || ' ')")
    # `strpos` would also count all characters before what it has found.
    before = func.split_part(padded, bindparam(f"phrase_{place}"), 1)
    return func.octet_length(before) < func.octet_length(SearchText.body) + 2


def _has_all(field: str, terms: int) -> list[ColumnElement[bool]]:
    padded: ColumnElement[str] = literal_column(f"(' ' || search_texts.{field} || ' ')")
    return [func.strpos(padded, bindparam(f"term_{place}")) > 0 for place in range(terms)]


def _is_one_of(number: InstrumentedAttribute[int], some: Select[int]) -> ColumnElement[bool]:
    """Whether a row is among some, which are looked up in one go of its index whatever their number."""
    return number == any_(func.array(some.scalar_subquery()))
