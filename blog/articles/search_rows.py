"""What search reads of one article: its title, what it is about, and all that it says, in folded words.

It imports no database: the process beside a first sync makes these rows too.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from blog.articles import pairs
from blog.articles.folding import BREAK, MOST_WORDS, words

#: Words that a text says often tell what it is about, though no heading has them.
OFTEN, MOST_OFTEN = 3, 40


class Said(NamedTuple):
    """All that an article says, as it stands there."""

    title: str
    description: str
    headings: Sequence[str]
    authors: Sequence[str]
    topics: Sequence[str]
    topic_names: Mapping[str, str]
    text: str


class Pictures(NamedTuple):
    """Which words stand side by side, for an index that does not know it."""

    keys: bytes
    body: bytes


class Row(NamedTuple):
    """The same in folded words."""

    title: str
    keys: str
    body: str
    pictures: Pictures | None


def row(said: Said, *, with_pairs: bool) -> Row:
    """Return what search reads of an article, with its pairs of words if the index is to be told them."""
    title, prose = words(said.title), words(said.text)[:MOST_WORDS]
    named = (str(said.topic_names.get(topic, "")) for topic in said.topics)
    headings = [str(heading) for heading in said.headings]
    about = [*named, *said.topics, *headings, *map(str, said.authors), said.description]
    fields = [title, *map(words, about)]
    keys = _joined([*fields, *([word] for word in _often(prose))])
    compounds = _compounds(" ".join([said.title, *headings, said.text]))
    body = _joined([*fields, prose, *([word] for word in compounds)])
    if not with_pairs:
        return Row(" ".join(title), keys, body, None)
    in_order = body.split()
    pictures = Pictures(pairs.picture(keys.split()), pairs.picture(in_order))
    return Row(" ".join(title), keys, pairs.marked(in_order), pictures)


def known(body: str) -> set[str]:
    """Return the words that a row's body says."""
    return set(pairs.unmarked(body).split())


def _often(prose: Sequence[str]) -> list[str]:
    repeated = [item for item in Counter(prose).items() if item[1] >= OFTEN]
    return [word for word, _ in sorted(repeated, key=itemgetter(1), reverse=True)[:MOST_OFTEN]]


def _compounds(text: str) -> list[str]:
    """Return the parts of compounds as one word: who looks for "backpressure" finds "back-pressure" too."""
    found = text.split() if "-" in text else ()
    return sorted({"".join(words(word)) for word in found if _is_compound(word)} - {""})


def _is_compound(word: str) -> bool:
    return "-" in word[1:-1] and "/" not in word


def _joined(fields: Sequence[Sequence[str]]) -> str:
    return f" {BREAK} ".join(" ".join(field) for field in fields if field)
