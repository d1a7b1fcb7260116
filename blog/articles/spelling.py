"""What was probably meant by a word that no article has, from the words that articles do have."""

import difflib
import math
import string
from collections.abc import Sequence
from functools import cache

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from blog.articles.asked import Term
from blog.articles.models import SearchWord
from blog.db import among

SHORTEST_MENDED, LONGEST_MENDED = 4, 24
#: Words of the same beginning that are compared when no word is one slip away, the most used first.
MOST_COMPARED = 500
LIKE_ENOUGH = 0.75

_WORDS = select(SearchWord.word, SearchWord.articles)


def rarity(session: Session, wanted: Sequence[Term]) -> list[float]:
    """Return how much each term says: the fewer articles have its rarest word, the more."""
    if len(wanted) == 1:
        return [1.0]
    known = _known(session, {word for term in wanted for word in term.words})
    return [1 / (1 + math.log1p(min(known.get(word, 0) for word in term.words))) for term in wanted]


def mended(session: Session, wanted: Sequence[Term]) -> str | None:
    """Return the query with each unknown word replaced by a known one; None where nothing can be mended."""
    replaced = [_mended_term(session, term) for term in wanted]
    if None in replaced:
        return None
    pieces = [piece for piece in replaced if piece]
    return " ".join(pieces) if pieces != [term_text(term) for term in wanted] else None


def term_text(term: Term) -> str:
    """Return a term as it is typed."""
    return f'"{" ".join(term.words)}"' if len(term.words) > 1 else term.words[0]


def _mended_term(session: Session, term: Term) -> str | None:
    known = _known(session, set(term.words))
    chosen = [
        word
        if word in known or not _can_be_mended(word) or _begins(session, word, term)
        else _near(session, word)
        for word in term.words
    ]
    if None in chosen:
        return None
    return term_text(Term(tuple(word for word in chosen if word)))


def _can_be_mended(word: str) -> bool:
    return SHORTEST_MENDED <= len(word) <= LONGEST_MENDED and not word.isdigit()


def _begins(session: Session, word: str, term: Term) -> bool:
    if not term.is_open:
        return False
    return session.scalar(select(SearchWord.word).where(*_from(word)).limit(1)) is not None


def _from(beginning: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return SearchWord.word >= beginning, SearchWord.word < beginning + "\U0010ffff"


def _near(session: Session, word: str) -> str | None:
    one_slip = _known(session, _slips(word))
    if one_slip:
        return min(one_slip, key=lambda known: (-one_slip[known], known))
    alike = (
        select(SearchWord.word)
        .where(*_from(word[:2]), func.length(SearchWord.word).between(len(word) - 2, len(word) + 2))
        .order_by(SearchWord.articles.desc(), SearchWord.word)
        .limit(MOST_COMPARED)
    )
    close = difflib.get_close_matches(word, list(session.scalars(alike)), n=1, cutoff=LIKE_ENOUGH)
    return close[0] if close else None


def _slips(word: str) -> set[str]:
    """Return every word that one missing, doubled, swapped or wrong letter turns into this one."""
    letters = sorted({*string.ascii_lowercase, *word})
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    missing = {left + right[1:] for left, right in cuts if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    wrong = {left + letter + right[1:] for left, right in cuts if right for letter in letters}
    added = {left + letter + right for left, right in cuts for letter in letters}
    return (missing | swapped | wrong | added) - {word}


def _known(session: Session, asked: set[str]) -> dict[str, int]:
    query = _known_among(session.get_bind().dialect.name)
    return dict(session.execute(query, {"asked": sorted(asked)}).all())


@cache
def _known_among(dialect: str) -> Select[str, int]:
    return _WORDS.where(among(dialect, SearchWord.word, "asked"))
