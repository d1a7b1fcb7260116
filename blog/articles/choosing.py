"""Which articles stand under another: picked by hand, alike in words, or at least of the same topic."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blog.articles.reasons import reason
from blog.articles.space import Space
from blog.articles.vectors import likeness

SHOWN = 3
STORED = 5
#: Links are close in time, but a stronger pull hid good pairs that lie more than half a year apart.
NEARNESS, HALF_LIFE_DAYS = 0.1, 120
#: How much a card is worth for itself, against being unlike the cards before it.
OWN_WORTH = 0.9
#: Alike means at least this share of what the best pairs of this site reach.
FLOOR = 0.35
POOL = 50


@dataclass(frozen=True)
class Document:
    """What the choice knows of an article; only those that are `shown` already may be cards."""

    id: int
    published_at: datetime
    rendering: str = ""
    fingerprint: str = ""
    language: str = "en"
    series: str | None = None
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    pinned: tuple[int, ...] = ()
    shown: bool = True


@dataclass(frozen=True)
class Neighbour:
    """One card: which article, how it was found, and why."""

    id: int
    kind: str
    score: float
    reason: str


class Chooser:
    """Chooses the cards of documents, which stand in the order of their vectors in the space."""

    def __init__(self, documents: Sequence[Document], space: Space, topic_names: Mapping[str, str]) -> None:
        self._documents, self._space, self._topic_names = documents, space, topic_names
        self._by_id = {item.id: number for number, item in enumerate(documents)}
        self._usual = np.array([near.usual for near in space.near], dtype=np.float64)
        firsts = [self._likeness(number)[0] for number, near in enumerate(space.near) if len(near.texts)]
        self._floor = FLOOR * median(firsts) if firsts else 0.0
        self._many_authors = len({name for item in documents for name in item.authors}) > 1
        self._days = np.array([item.published_at.timestamp() / 86_400 for item in documents])
        self._shown = np.array([item.shown for item in documents], dtype=bool)
        codes: dict[str, int] = {}
        self._languages = np.array(
            [codes.setdefault(_language(item), len(codes)) for item in documents], dtype=np.int32
        )
        self._cosines = np.zeros(len(documents), dtype=np.float32)
        self._newest = self._newest_by_topic()

    def cards(self, number: int) -> list[Neighbour]:
        """Return the cards of one document, best first."""
        cards = list(self._picked(number))[:STORED]
        cards.extend(self._alike(number, [self._by_id[card.id] for card in cards]))
        taken = {card.id for card in cards}
        filling = (card for card in self._same_topic(number) if card.id not in taken)
        return [*cards, *(card for card, _ in zip(filling, range(STORED - len(cards)), strict=False))]

    def _likeness(self, number: int) -> NDArray[np.float64]:
        return likeness(self._space.near[number], number, self._usual)

    def _picked(self, number: int) -> Iterator[Neighbour]:
        if not self._documents[number].pinned:
            return
        likes = dict(zip(self._space.near[number].texts.tolist(), self._likeness(number), strict=True))
        for picked in self._documents[number].pinned:
            other = self._by_id.get(picked)
            if other is not None and other != number:
                score = round(float(likes.get(other, 0.0)), 6)
                yield Neighbour(picked, "pinned", score, reason(self._space, number, other))

    def _alike(self, number: int, chosen: list[int]) -> Iterator[Neighbour]:
        """Yield the most alike, each weighed against those chosen before it."""
        pool, scores = self._pool(number, chosen)
        like_one_before = np.zeros(len(pool), dtype=np.float32)
        for one in chosen:
            np.maximum(like_one_before, self._cosines_with(one, pool), out=like_one_before)
        waiting = np.ones(len(pool), dtype=bool)
        while len(chosen) < STORED:
            worth = np.where(waiting, OWN_WORTH * scores - (1 - OWN_WORTH) * like_one_before, -np.inf)
            place = self._first_allowed(pool, worth, chosen)
            if place is None:
                return
            waiting[place] = False
            best = int(pool[place])
            why = reason(self._space, number, best)
            if not why:
                continue
            chosen.append(best)
            np.maximum(like_one_before, self._cosines_with(best, pool), out=like_one_before)
            yield Neighbour(self._documents[best].id, "related", round(float(scores[place]), 6), why)

    def _pool(self, number: int, chosen: list[int]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return the documents that may be cards, best first, and their scores."""
        texts, likes = self._space.near[number].texts, self._likeness(number)
        days = np.abs(self._days[texts] - self._days[number])
        scores = likes + NEARNESS * 2 ** (-days / HALF_LIFE_DAYS)
        fitting = (likes >= self._floor) & self._shown[texts]
        fitting &= self._languages[texts] == self._languages[number]
        if chosen:
            fitting &= ~np.isin(texts, chosen)
        order = np.lexsort((texts, days, -scores))
        order = order[fitting[order]][:POOL]
        return texts[order], scores[order]

    def _cosines_with(self, one: int, pool: NDArray[np.int32]) -> NDArray[np.float32]:
        near = self._space.near[one]
        self._cosines[near.texts] = near.cosines
        found: NDArray[np.float32] = self._cosines[pool]
        self._cosines[near.texts] = 0.0
        return found

    def _first_allowed(self, pool: NDArray[Any], worth: NDArray[Any], chosen: list[int]) -> int | None:
        while len(pool):
            place = int(worth.argmax())  # the first of equals
            if worth[place] == -np.inf:
                return None
            if self._is_allowed(int(pool[place]), chosen):
                return place
            worth[place] = -np.inf
        return None

    def _is_allowed(self, other: int, chosen: list[int]) -> bool:
        """At most one of a series, which has its own links, and two of one author among the cards shown."""
        item, cards = self._documents[other], [self._documents[number] for number in chosen]
        if item.series and any(card.series == item.series for card in cards):
            return False
        if not self._many_authors or len(cards) >= SHOWN:
            return True
        return all(sum(name in card.authors for card in cards) < SHOWN - 1 for name in item.authors)

    def _newest_by_topic(self) -> dict[str, list[int]]:
        order = sorted(range(len(self._documents)), key=lambda number: self._documents[number].id)
        order.sort(key=lambda number: self._documents[number].published_at, reverse=True)
        found: dict[str, list[int]] = defaultdict(list)
        for number in order:
            for topic in self._documents[number].topics if self._documents[number].shown else ():
                found[topic].append(number)
        return found

    def _same_topic(self, number: int) -> Iterator[Neighbour]:
        mine = self._documents[number]
        for topic in mine.topics:
            for other in self._newest.get(topic, ()):
                item = self._documents[other]
                if other != number and _language(mine) == _language(item):
                    name = self._topic_names.get(topic, topic)
                    yield Neighbour(item.id, "topic", 0.0, f"More on {name}")


def _language(document: Document) -> str:
    return document.language.partition("-")[0].lower()
