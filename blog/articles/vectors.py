"""How alike texts are: TF-IDF vectors, their cosines, and a scale that lifts what nobody else is close to.

The vectors lie one behind the other in flat arrays (numpy): a trial with 10,000 texts of 80 terms took 43 s
in pure Python and 4.3 s so. BM25 and latent semantic indexing found fewer of the posts that authors link.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blog.articles.terms import Counted

#: A text is judged against its own neighbourhood: the mean of its ten best cosines.
NEIGHBOURHOOD = 10
#: Neighbours kept for each text.
KEPT = 100
#: From this many texts on, a vector keeps only its heaviest terms; below it such a cap cost recall.
UNCAPPED = 2_000
HEAVIEST = 100
#: With fewer texts, "in more than half of them" says nothing about a word.
ENOUGH_TO_BE_COMMON = 8

Numbers = NDArray[np.int32]
Weights = NDArray[np.float32]
Vector = dict[str, float]


@dataclass(frozen=True)
class Rarity:
    """How much each term of a publication tells: the rarer, the more; what tells nothing is left out."""

    weights: Mapping[str, float]
    heaviest: int | None

    @cached_property
    def terms(self) -> list[str]:
        """All terms, in the order of their numbers."""
        return list(self.weights)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.weights)}

    @cached_property
    def _rare(self) -> NDArray[np.float64]:
        return np.array(list(self.weights.values()), dtype=np.float64)

    def vector(self, text: Counted) -> tuple[Numbers, Weights]:
        """Return a text's terms, by number and the heaviest first, with their weights at length one."""
        numbers = np.fromiter(map(self._numbers.get, text.terms, repeat(-1)), np.int32, len(text.terms))
        known = numbers >= 0
        numbers = numbers[known]
        counts = np.frombuffer(text.counts, dtype=np.uintc)[known]
        weights = (1 + np.log(counts, dtype=np.float64)) * self._rare[numbers]
        heaviest = np.lexsort((numbers, -weights))[: self.heaviest]
        numbers, weights = numbers[heaviest], weights[heaviest]
        length = math.sqrt(float(weights @ weights)) or 1.0
        return numbers, (weights / length).astype(np.float32)


def rarity(texts: Sequence[Counted]) -> Rarity:
    """Weigh terms by how few texts have them; a term of one text only, or of most of them, says nothing."""
    spread = Counter[str]()
    for text in texts:
        spread.update(text.terms)
    size = len(texts)
    most = size / 2 if size >= ENOUGH_TO_BE_COMMON else size
    weights = {
        term: math.log((1 + size) / (1 + number)) + 1
        for term, number in sorted(spread.items())
        if 2 <= number <= most
    }
    return Rarity(weights, HEAVIEST if size >= UNCAPPED else None)


@dataclass(frozen=True)
class Vectors:
    """All vectors, one behind the other: those of text `i` lie from `starts[i]` to `starts[i + 1]`."""

    starts: NDArray[np.int64]
    terms: Numbers
    weights: Weights

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, text: int) -> tuple[Numbers, Weights]:
        """Return the terms and weights of one text."""
        part = slice(self.starts[text], self.starts[text + 1])
        return self.terms[part], self.weights[part]

    @cached_property
    def _size(self) -> int:
        return int(self.terms.max(initial=-1)) + 1

    def spread_out(self, text: int) -> Weights:
        """Return the weights of one text by the number of their term, nought for all terms it lacks."""
        terms, weights = self.of(text)
        dense = np.zeros(self._size, dtype=np.float32)
        dense[terms] = weights
        return dense

    def shared(self, spread_out: Weights, other: int) -> list[int]:
        """Return the terms that make a text, `spread_out`, like another one: the weightiest first."""
        terms, weights = self.of(other)
        products = spread_out[terms] * weights
        found = np.flatnonzero(products)
        terms, products = terms[found], products[found]
        ordered: list[int] = terms[np.lexsort((terms, -products))].tolist()
        return ordered


def stacked(vectors: Iterable[tuple[Numbers, Weights]]) -> Vectors:
    """Put vectors one behind the other."""
    parts = list(vectors)
    starts = np.cumsum([0, *(len(terms) for terms, _ in parts)], dtype=np.int64)
    terms = np.concatenate([terms for terms, _ in parts]) if parts else np.empty(0, np.int32)
    weights = np.concatenate([weights for _, weights in parts]) if parts else np.empty(0, np.float32)
    return Vectors(starts, terms.astype(np.int32), weights.astype(np.float32))


@dataclass(frozen=True)
class Near:
    """A text's neighbours, the nearest first, with their cosines."""

    texts: Numbers
    cosines: Weights

    @property
    def usual(self) -> float:
        """What is usual around this text."""
        best = self.cosines[:NEIGHBOURHOOD]
        return float(best.mean(dtype=np.float64)) if len(best) else 0.0


def nearest(vectors: Vectors) -> list[Near]:
    """Return every text's neighbours."""
    postings = _Postings(vectors)
    return [best(postings.cosines(text), text) for text in range(len(vectors))]


def best(cosines: NDArray[np.float64], text: int) -> Near:
    """Return the best of a text's cosines with all texts; of equals, those that come first."""
    rounded = cosines.astype(np.float32)
    rounded[text] = 0.0
    found = np.flatnonzero(rounded > 0)
    if len(found) > KEPT:
        edge = np.partition(rounded[found], len(found) - KEPT)[len(found) - KEPT]
        found = found[rounded[found] >= edge]
    found = found[np.lexsort((found, -rounded[found]))][:KEPT]
    return Near(found.astype(np.int32), rounded[found])


class _Postings:
    """The vectors by term: who has it, and how heavily."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        order = np.argsort(vectors.terms, kind="stable")
        owners = np.repeat(np.arange(len(vectors), dtype=np.int32), np.diff(vectors.starts))
        # Side by side in one number, so that one slice finds both: a text has a hundred terms.
        self._pairs = np.stack([owners[order], vectors.weights[order].view(np.int32)], axis=1).view(np.int64)
        size = int(vectors.terms.max()) + 1 if len(vectors.terms) else 0
        self._starts = np.searchsorted(vectors.terms[order], np.arange(size + 1))
        self._slices = [slice(start, end) for start, end in pairwise(self._starts.tolist())]

    def cosines(self, text: int) -> NDArray[np.float64]:
        """Return the cosines of a text with all texts, itself included."""
        terms, weights = self._vectors.of(text)
        size = len(self._vectors)
        if not len(terms):
            return np.zeros(size)
        found = np.concatenate([self._pairs[self._slices[term]] for term in terms.tolist()]).view(np.int32)
        times = self._starts[terms + 1] - self._starts[terms]
        products = found[:, 1].view(np.float32) * np.repeat(weights, times)
        return np.bincount(found[:, 0], products, minlength=size).astype(np.float64)


def against_all(vectors: Vectors, text: int) -> NDArray[np.float64]:
    """Return the cosines of one text with all texts without any index: a pass over all weights."""
    dense = vectors.spread_out(text)
    sums = np.cumsum(np.concatenate(([0.0], (vectors.weights * dense[vectors.terms]).astype(np.float64))))
    cosines: NDArray[np.float64] = sums[vectors.starts[1:]] - sums[vectors.starts[:-1]]
    return cosines


def likeness(near: Near, text: int, usual: NDArray[Any]) -> NDArray[np.float64]:
    """Return the scaled cosines of one text with its neighbours."""
    around: NDArray[np.float64] = np.sqrt(usual[text] * usual[near.texts])
    return near.cosines / around
