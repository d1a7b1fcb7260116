"""Which articles to show under another, and the line that says why.

First what the author picked; then what is alike in its words, a little helped by nearness in time; and where
nothing is alike enough, the newest of the same topic, called just that. Computed when content changes, and
stored with its reason: no page waits for it, and page, feed and mail show the same.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from blog.articles.models import (
    Article,
    ArticleStatus,
    ArticleTopic,
    ContentVersion,
    Redirect,
    RelatedArticle,
)
from blog.articles.reasons import reason
from blog.articles.vectors import Space, compare

SHOWN = 3
STORED = 5
#: Links are close in time, but a stronger pull hid good pairs that lie more than half a year apart.
NEARNESS, HALF_LIFE_DAYS = 0.1, 120
#: How much a card is worth for itself, against being unlike the cards before it.
OWN_WORTH = 0.8
#: Alike means at least this share of what the best pairs of this site reach.
FLOOR = 0.35
POOL = 50


@dataclass(frozen=True)
class Document:
    """What the computation knows of an article; only those that are `shown` already may be cards."""

    id: int
    slug: str
    title: str
    headings: tuple[str, ...]
    text: str
    published_at: datetime
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


def is_current(session: Session) -> bool:
    """Return whether the stored cards belong to what is published now."""
    kept = session.get(ContentVersion, 1)
    return kept is None or kept.version == kept.related_to


def read(session: Session, now: datetime) -> tuple[list[Document], dict[str, str]]:
    """Return what the computation needs: the documents, and how topics are written."""
    return _documents(session, now), _topic_names(session)


def store(session: Session, found: dict[int, list[Neighbour]]) -> None:
    """Keep the cards, and give what is published a version that says so."""
    rows = [
        {"article_id": article, "position": position, "related_id": card.id, "kind": card.kind}
        | {"score": card.score, "reason": card.reason}
        for article, cards in found.items()
        for position, card in enumerate(cards)
    ]
    session.execute(delete(RelatedArticle))
    if rows:
        session.execute(insert(RelatedArticle), rows)
    kept = session.get_one(ContentVersion, 1)
    kept.version = hashlib.sha256(f"{kept.version}{rows}".encode()).hexdigest()
    kept.related_to = kept.version


def neighbours(documents: Sequence[Document], topic_names: dict[str, str]) -> dict[int, list[Neighbour]]:
    """Return the cards of every document, best first; the same documents always give the same cards."""
    ordered = sorted(documents, key=lambda document: document.id)
    space = compare([(item.title, item.headings, item.text) for item in ordered])
    return _Chooser(ordered, space, topic_names).all()


class _Chooser:
    def __init__(self, documents: list[Document], space: Space, topic_names: dict[str, str]) -> None:
        self._documents, self._space, self._topic_names = documents, space, topic_names
        self._by_id = {item.id: number for number, item in enumerate(documents)}
        best = [next(iter(near.values())) for near in space.neighbours if near]
        self._floor = FLOOR * median(best) if best else 0.0
        self._many_authors = len({name for item in documents for name in item.authors}) > 1
        newest = sorted(range(len(documents)), key=lambda number: documents[number].id)
        newest.sort(key=lambda number: documents[number].published_at, reverse=True)
        self._newest = newest

    def all(self) -> dict[int, list[Neighbour]]:
        return {item.id: self._cards(number) for number, item in enumerate(self._documents)}

    def _cards(self, number: int) -> list[Neighbour]:
        cards = list(self._picked(number))[:STORED]
        chosen = [self._by_id[card.id] for card in cards]
        cards.extend(self._alike(number, chosen))
        taken = {card.id for card in cards}
        filling = (card for card in self._same_topic(number) if card.id not in taken)
        return [*cards, *(card for card, _ in zip(filling, range(STORED - len(cards)), strict=False))]

    def _picked(self, number: int) -> Iterator[Neighbour]:
        for picked in self._documents[number].pinned:
            other = self._by_id.get(picked)
            if other is not None and other != number:
                score = round(self._space.neighbours[number].get(other, 0.0), 6)
                yield Neighbour(picked, "pinned", score, reason(self._space, number, other))

    def _alike(self, number: int, chosen: list[int]) -> Iterator[Neighbour]:
        """Yield the most alike, each weighed against those chosen before it."""
        scores = self._scores(number, chosen)
        pool = self._best_first(number, scores)[:POOL]
        while pool and len(chosen) < STORED:
            allowed = [other for other in pool if self._is_allowed(other, chosen)]
            if not allowed:
                return
            best = max(allowed, key=lambda other: self._worth(other, scores, chosen))  # the first of equals
            pool.remove(best)
            why = reason(self._space, number, best)
            if why:
                chosen.append(best)
                yield Neighbour(self._documents[best].id, "related", round(scores[best], 6), why)

    def _worth(self, other: int, scores: dict[int, float], chosen: list[int]) -> float:
        cosines = self._space.cosines[other]
        like_one_before = max((cosines.get(one, 0.0) for one in chosen), default=0.0)
        return OWN_WORTH * scores[other] - (1 - OWN_WORTH) * like_one_before

    def _scores(self, number: int, chosen: list[int]) -> dict[int, float]:
        mine = self._documents[number]
        return {
            other: likeness + NEARNESS * 2 ** (-_days(mine, self._documents[other]) / HALF_LIFE_DAYS)
            for other, likeness in self._space.neighbours[number].items()
            if likeness >= self._floor
            and other not in chosen
            and self._documents[other].shown
            and _same_language(mine, self._documents[other])
        }

    def _best_first(self, number: int, scores: dict[int, float]) -> list[int]:
        mine = self._documents[number]
        return sorted(scores, key=lambda other: (-scores[other], _days(mine, self._documents[other]), other))

    def _is_allowed(self, other: int, chosen: list[int]) -> bool:
        """At most one of a series, which has its own links, and two of one author among the cards shown."""
        item, cards = self._documents[other], [self._documents[number] for number in chosen]
        if item.series and any(card.series == item.series for card in cards):
            return False
        if not self._many_authors or len(cards) >= SHOWN:
            return True
        return all(sum(name in card.authors for card in cards) < SHOWN - 1 for name in item.authors)

    def _same_topic(self, number: int) -> Iterator[Neighbour]:
        mine = self._documents[number]
        for topic in mine.topics:
            for other in self._newest:
                item = self._documents[other]
                if other != number and topic in item.topics and item.shown and _same_language(mine, item):
                    name = self._topic_names.get(topic, topic)
                    yield Neighbour(item.id, "topic", 0.0, f"More on {name}")


def _days(one: Document, other: Document) -> float:
    return abs((one.published_at - other.published_at).total_seconds()) / 86_400


def _same_language(one: Document, other: Document) -> bool:
    return one.language.partition("-")[0].lower() == other.language.partition("-")[0].lower()


def _documents(session: Session, now: datetime) -> list[Document]:
    columns = (
        *(Article.id, Article.slug, Article.title, Article.headings, Article.text, Article.published_at),
        *(Article.language, Article.series, Article.authors, Article.pinned, Article.live_at),
    )
    query = select(*columns).where(
        Article.status == ArticleStatus.PUBLISHED,
        Article.removed_at.is_(None),
        or_(Article.expires_at.is_(None), Article.expires_at > now),
    )
    rows = session.execute(query.order_by(Article.id)).all()
    topics, ids = _topics(session), _ids_by_slug(session)
    return [_document(row, topics, ids, now) for row in rows]


def _document(row: Any, topics: dict[int, list[str]], ids: dict[str, int], now: datetime) -> Document:
    return Document(
        id=row.id,
        slug=row.slug,
        title=row.title,
        headings=tuple(row.headings),
        text=row.text,
        published_at=row.published_at,
        language=row.language,
        series=row.series,
        authors=tuple(row.authors),
        topics=tuple(topics.get(row.id, ())),
        pinned=tuple(dict.fromkeys(ids[slug] for slug in row.pinned if slug in ids)),
        shown=row.published_at <= now and row.live_at is not None and row.live_at <= now,
    )


def _topics(session: Session) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = select(ArticleTopic.article_id, ArticleTopic.topic)
    for article, topic in session.execute(query.order_by(ArticleTopic.article_id, ArticleTopic.position)):
        found.setdefault(article, []).append(topic)
    return found


def _ids_by_slug(session: Session) -> dict[str, int]:
    """Return the articles by their present slugs, and by those they once had."""
    former = select(Redirect.path, Redirect.article_id).where(Redirect.path.startswith("/articles/"))
    ids = {path.removeprefix("/articles/"): article for path, article in session.execute(former)}
    return ids | dict(session.execute(select(Article.slug, Article.id)).all())


def _topic_names(session: Session) -> dict[str, str]:
    names: dict[str, str] = {}
    query = select(Article.extra).where(Article.removed_at.is_(None)).order_by(Article.id)
    for extra in session.scalars(query):
        names |= extra.get("topic_names", {})
    return names
