"""All texts of a publication compared: who is near whom, and by which words; made whole, or mended for a few.

A whole comparison grows with the number of pairs that share terms. Mended, only what changed is compared
with all others, under the weights of the last whole comparison; when a tenth has changed since, or the texts
are few, everything is compared anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blog.articles.terms import Counted
from blog.articles.vectors import (
    KEPT,
    UNCAPPED,
    Near,
    Rarity,
    Vectors,
    against_all,
    best,
    nearest,
    rarity,
    stacked,
)

#: With more of the texts changed since the last whole comparison, the weights of their terms are out of date.
MOST_MENDED = 0.1
#: So many at once are compared faster all together.
MOST_AT_ONCE = 0.02


@dataclass(frozen=True)
class Space:
    """The comparison of texts that are numbered from 0; `mended` counts those changed since it was whole."""

    rarity: Rarity
    vectors: Vectors
    near: Sequence[Near]
    forms: Sequence[Mapping[str, str]]
    mended: int = 0
    #: The text asked about last, and its weights: one text is held against many, one after the other.
    _held: list[Any] = field(default_factory=lambda: [-1, None], compare=False, repr=False)

    def shared(self, one: int, other: int) -> Iterator[str]:
        """Yield the terms that make two texts alike, the weightiest first."""
        if self._held[0] != one:
            self._held[:] = one, self.vectors.spread_out(one)
        return (self.rarity.terms[number] for number in self.vectors.shared(self._held[1], other))

    def written(self, term: str, *texts: int) -> str:
        """Return a term as the texts write it; a capital that only starts a sentence is not kept."""
        forms = {self.forms[text].get(term, term) for text in texts}
        return term if term in forms else min(forms)


@dataclass(frozen=True)
class Weighed:
    """Texts that can be compared: their words are no longer needed."""

    rarity: Rarity
    vectors: Vectors
    forms: Sequence[Mapping[str, str]]

    def compared(self) -> Space:
        """Compare all texts with each other."""
        return Space(self.rarity, self.vectors, nearest(self.vectors), self.forms)


def weigh(texts: Sequence[Counted]) -> Weighed:
    """Weigh the words of texts by how few others have them."""
    rare = rarity(texts)
    return Weighed(rare, stacked(rare.vector(text) for text in texts), [text.forms for text in texts])


def compare(texts: Sequence[Counted]) -> Space:
    """Compare all texts with each other."""
    return weigh(texts).compared()


def can_mend(space: Space, unchanged: int, changed: int) -> bool:
    """Whether so few changed that they alone need to be compared."""
    size, gone = unchanged + changed, len(space.vectors) - unchanged
    moved = max(changed, gone)
    return (
        min(size, len(space.vectors)) >= UNCAPPED
        and moved <= MOST_AT_ONCE * size
        and space.mended + moved <= MOST_MENDED * size
    )


def mend(space: Space, sources: Sequence[int | Counted]) -> tuple[Space, set[int]]:
    """Return the space of texts that are each an unchanged one (its old number) or a new one, counted.

    The second value is the texts whose neighbours are others than before.
    """
    changed = [number for number, source in enumerate(sources) if isinstance(source, Counted)]
    vectors = stacked(
        space.rarity.vector(source) if isinstance(source, Counted) else space.vectors.of(source)
        for source in sources
    )
    forms = [source.forms if isinstance(source, Counted) else space.forms[source] for source in sources]
    near, touched = _kept(space, sources)
    for number in changed:
        cosines = against_all(vectors, number)
        near[number] = best(cosines, number)
        touched.add(number)
        for other in _admitting(near, cosines, number):
            near[other] = _with(near[other], number, cosines[other])
            touched.add(other)
    moved = max(len(changed), len(space.vectors) - len(sources) + len(changed))
    return Space(space.rarity, vectors, near, forms, space.mended + moved), touched


def _kept(space: Space, sources: Sequence[int | Counted]) -> tuple[list[Near], set[int]]:
    """Return the neighbours that are left of the old ones, by their new numbers."""
    numbers = np.full(len(space.vectors), -1, dtype=np.int32)
    for number, source in enumerate(sources):
        if not isinstance(source, Counted):
            numbers[source] = number
    near: list[Near] = []
    touched: set[int] = set()
    for number, source in enumerate(sources):
        if isinstance(source, Counted):
            near.append(Near(np.empty(0, np.int32), np.empty(0, np.float32)))
            continue
        old = space.near[source]
        texts = numbers[old.texts]
        left = texts >= 0
        if not left.all():
            touched.add(number)
        near.append(Near(texts[left], old.cosines[left]))
    return near, touched


def _admitting(near: Sequence[Near], cosines: NDArray[np.float64], number: int) -> list[int]:
    """Return the texts among whose neighbours a new one belongs."""
    edges = np.array([item.cosines[-1] if len(item.cosines) >= KEPT else 0.0 for item in near])
    found = np.flatnonzero(cosines.astype(np.float32) > edges)
    return [int(other) for other in found if other != number]


def _with(near: Near, text: int, cosine: float) -> Near:
    place = int(np.searchsorted(-near.cosines, -np.float32(cosine), side="right"))
    texts = np.insert(near.texts, place, text)[:KEPT]
    return Near(texts, np.insert(near.cosines, place, cosine)[:KEPT])
