"""The words of a text, counted: what is compared, and how each is written there."""

import re
import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

TITLE_WEIGHT = 3
_WORD = re.compile(r"\w(?:['’]?\w)+")
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Counted:
    """The terms of a text, and how often it has each; `forms` says how the capitalised ones are written.

    Those of ten thousand texts are in memory at once: so a term is there once for all texts that have it, and
    the numbers lie in an array. Dictionaries of their own took twelve times as much.
    """

    terms: tuple[str, ...]
    counts: "array[int]"  # which Python 3.11 cannot name without quotes
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
    unusual = {sys.intern(term): sys.intern(form) for term, form in forms.items() if form != term}
    return Counted(tuple(map(sys.intern, counts)), array("I", counts.values()), unusual)
