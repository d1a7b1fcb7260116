"""The words of a text, counted: what is compared, and how each is written there."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

TITLE_WEIGHT = 3
_WORD = re.compile(r"\w(?:['’]?\w)+")
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Counted:
    """How often a text has each term; `forms` says how those are written that are never in lower case."""

    counts: dict[str, int]
    forms: dict[str, str]


def words(text: str) -> list[str]:
    """Return the words of a text as they are written, without addresses and possessive endings."""
    found = _WORD.findall(_ADDRESS.sub(" ", text).replace("’", "'"))
    return [word.removesuffix("'s") for word in found]


def counted(title: str, headings: Sequence[str], prose: str) -> Counted:
    """Count the terms of a text, those of its title threefold."""
    written = Counter(words("\n".join((prose, *headings))))
    for word in words(title):
        written[word] += TITLE_WEIGHT
    counts: dict[str, int] = {}
    forms: dict[str, str] = {}
    for word, count in written.items():
        term = word.lower()
        if "'" in term or len(term) < 2:
            continue
        counts[term] = counts.get(term, 0) + count
        if word == term or term not in forms:
            forms[term] = word
    return Counted(counts, {term: form for term, form in forms.items() if form != term})
