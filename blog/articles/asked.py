"""What somebody typed into the search field, as terms; nothing they type is ever syntax of a database."""

import re
from dataclasses import dataclass

from blog.articles.folding import is_unspaced, words

#: What is typed beyond this is not looked at: an address can be ten thousand characters long.
LONGEST_QUERY = 200
MOST_TERMS = 8
#: The beginning of a word says something from here on; one character of Chinese does.
SHORTEST_BEGINNING = 2

QUOTES = '"“”„«»'
_PIECE = re.compile(rf"[{QUOTES}]([^{QUOTES}]*)[{QUOTES}]|[^\s{QUOTES}]+")


@dataclass(frozen=True)
class Term:
    """One word, or several that must follow each other; `is_open` when the last may only have begun."""

    words: tuple[str, ...]
    is_open: bool = False
    typed: str = ""


def terms(query: str) -> list[Term]:
    """Return what must all be found: words, quoted phrases, and the last word as a beginning."""
    found: list[Term] = []
    for piece in _PIECE.finditer(query[:LONGEST_QUERY]):
        quoted = piece[1] is not None
        typed = piece[1] if quoted else piece[0]
        folded = tuple(words(typed))
        if folded:
            found.append(Term(_whole(folded), not quoted, typed))
    distinct = list({(term.words, term.is_open): term for term in found}.values())[:MOST_TERMS]
    return [
        Term(term.words, _may_go_on(term, is_last=place == len(distinct) - 1), term.typed)
        for place, term in enumerate(distinct)
    ]


def unquoted(query: str) -> str:
    """Return a query that is one phrase without its quotes, for a sentence that has quotes of its own."""
    inner = query.strip(QUOTES).strip()
    is_phrase = query[:1] in QUOTES and query[-1:] in QUOTES and not any(mark in inner for mark in QUOTES)
    return inner if inner and is_phrase else query


def _whole(folded: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the lone last character of a run without spaces: the pair before it holds it."""
    last = folded[-1]
    if len(folded) > 1 and len(last) == 1 and is_unspaced(last) and folded[-2].endswith(last):
        return folded[:-1]
    return folded


def _may_go_on(term: Term, is_last: bool) -> bool:
    last = term.words[-1]
    if len(last) == 1 and is_unspaced(last):
        return len(term.words) == 1
    return term.is_open and is_last and len(term.words) == 1 and len(last) >= SHORTEST_BEGINNING
