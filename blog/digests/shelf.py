"""Every live article in a few words, ordered so that a group finds what is new to it without looking at all.

A publication may have tens of thousands of articles and an issue a thousand groups: a group must cost as many
steps as it has news, and an article that nobody is sent must not take up the room of its text.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from blog.articles.live import live
from blog.articles.models import Article, ArticleTopic
from blog.subscribers.models import Cadence

#: A first issue: how far back it reaches, and how many articles it holds at least.
FIRST_ISSUE = {
    Cadence.INSTANT: (timedelta(days=1), 1),
    Cadence.DAILY: (timedelta(days=1), 5),
    Cadence.WEEKLY: (timedelta(days=7), 5),
    Cadence.MONTHLY: (timedelta(days=31), 5),
}
AT_ONCE = 500
_LISTED = (
    Article.slug, Article.title, Article.description, Article.excerpt, Article.minutes, Article.published_at,
    Article.live_at, Article.extra, Article.language, Article.authors,
)  # fmt: skip
_NEWEST_FIRST = Article.live_at.desc(), Article.published_at.desc(), Article.id.desc()


class Entry(NamedTuple):
    """What choosing needs of an article."""

    id: int
    live_at: datetime
    published_at: datetime


@dataclass(frozen=True)
class Past:
    """An issue that has been: up to when it reached, and what it carried."""

    cutoff_at: datetime
    carried: frozenset[int]


class Shelf:
    """The live articles, newest first; a topic knows the places of its own."""

    def __init__(self, entries: Sequence[Entry], topics: Iterable[tuple[int, str]]) -> None:
        self._entries = entries
        places = {entry.id: place for place, entry in enumerate(entries)}
        by_topic: dict[str, list[int]] = defaultdict(list)
        for article, topic in topics:
            if article in places:
                by_topic[topic].append(places[article])
        self._places: dict[str, Sequence[int]] = {"": range(len(entries))}
        self._places |= {topic: sorted(found) for topic, found in by_topic.items()}
        self._latest: dict[tuple[str, int], list[int]] = {}

    def new_for(self, topics: str, last: Past | None, cadence: Cadence, at: datetime) -> list[Entry]:
        """Return what is new to readers of these topics who had that last issue, newest first."""
        followed = topics.split(",")
        if last is not None:
            found = self._since(followed, last.cutoff_at)
            return [entry for entry in self._at(found) if entry.id not in last.carried]
        reach, at_least = FIRST_ISSUE[cadence]
        latest = {place for topic in followed for place in self._latest_of(topic, at_least)}
        return self._at(self._since(followed, at - reach) | set(nlargest(at_least, latest, key=self._dated)))

    def _at(self, places: set[int]) -> list[Entry]:
        return [self._entries[place] for place in sorted(places)]

    def _since(self, followed: list[str], moment: datetime) -> set[int]:
        """Return the places of what has appeared after a moment: they come first, on every list."""
        end = bisect_left(self._entries, True, key=lambda entry: entry.live_at <= moment)
        mine = [self._places.get(topic, ()) for topic in followed]
        return {place for places in mine for place in places[: bisect_left(places, end)]}

    def _latest_of(self, topic: str, number: int) -> list[int]:
        """Return the latest of a topic by their own dates; the latest of several topics are among them."""
        if (topic, number) not in self._latest:
            self._latest[topic, number] = nlargest(number, self._places.get(topic, ()), key=self._dated)
        return self._latest[topic, number]

    def _dated(self, place: int) -> tuple[datetime, int]:
        return self._entries[place].published_at, self._entries[place].id


def at(session: Session, moment: datetime) -> Shelf:
    """Return the articles that readers can see at a moment."""
    query = select(Article.id, Article.live_at, Article.published_at)
    rows = session.execute(query.where(*live(moment)).order_by(*_NEWEST_FIRST))
    entries = [Entry(number, live_at, dated) for number, live_at, dated in rows if live_at]
    topics = select(ArticleTopic.article_id, ArticleTopic.topic)
    return Shelf(entries, ((article, topic) for article, topic in session.execute(topics)))


def newest(session: Session, moment: datetime) -> datetime | None:
    """Return when the newest of the articles that readers can see appeared; None if there are none."""
    return session.scalar(select(Article.live_at).where(*live(moment)).order_by(*_NEWEST_FIRST).limit(1))


def numbers_of(session: Session, slugs: Sequence[str]) -> list[int]:
    """Return the numbers of articles, in the order in which they are named."""
    rows = session.execute(select(Article.slug, Article.id).where(Article.slug.in_(slugs)))
    by_slug = {row.slug: row.id for row in rows}
    return [by_slug[slug] for slug in slugs if slug in by_slug]


def loaded(session: Session, numbers: Iterable[int], moment: datetime) -> dict[int, Article]:
    """Return these articles with what an issue shows of them; who has gone since they were listed is not."""
    wanted = sorted(numbers)
    found: dict[int, Article] = {}
    for start in range(0, len(wanted), AT_ONCE):
        these = Article.id.in_(wanted[start : start + AT_ONCE])
        rows = session.scalars(select(Article).where(these, *live(moment)).options(load_only(*_LISTED)))
        found.update((article.id, article) for article in rows)
    return found
