"""Who gets which articles: each subscriber what is new since their last issue and matches their topics.

Subscribers are grouped by (topics followed, last issue they had or may have had); each group has one set of
articles, and groups with the same set share a variant. `filling` writes the deliveries, piece by piece.

What is new is decided by `live_at`, when readers could first see an article here, never by a file's date.
A first issue holds what appeared within one period, and at least the latest few: a newcomer has had nothing.
Whoever comes back after a pause gets what they missed, the newest `MOST_ARTICLES` of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from blog.articles.models import Article
from blog.digests import shelf
from blog.digests.covered import covered, expect_many
from blog.digests.models import Issue, IssueArticle
from blog.digests.shelf import Past, Shelf
from blog.subscribers.audience import audience
from blog.subscribers.models import Cadence

MOST_ARTICLES = 20


@dataclass(frozen=True)
class Group:
    """Subscribers who follow the same topics ("" = all) and had the same last issue (None: none yet).

    Where the publisher offers several languages, they have chosen the same one as well.
    """

    topics: str
    last_issue: int | None
    people: int = 0
    language: str = ""

    def is_place_of(self, other: "Group") -> bool:
        """Say whether who is in one group is in the other, however many they are."""
        mine = self.topics, self.last_issue, self.language
        return mine == (other.topics, other.last_issue, other.language)


@dataclass(frozen=True)
class Edition:
    """One set of articles, newest first, and the groups that get it; `more` were left out for length.

    `language` is what the words around the articles speak; empty: the site's.
    """

    articles: tuple[Article, ...]
    more: int
    groups: tuple[Group, ...]
    language: str = ""


def articles_at(session: Session, at: datetime) -> Shelf:
    """Return the live articles; needs a writing transaction: see `_no_sync_under_way`."""
    _no_sync_under_way(session)
    return shelf.at(session, at)


def editions(
    session: Session,
    cadence: Cadence,
    at: datetime,
    articles: Shelf,
    pinned: tuple[str, ...] = (),
    languages: tuple[str, ...] = (),
) -> list[Edition]:
    """Return what each group would get of these articles; groups with nothing new are left out.

    What is pinned stands first for those to whom it is new; nobody gets anything for the second time by it.
    Whoever chose one of `languages`, which are not the site's own, gets an edition in it.
    """
    groups = _groups(session, cadence, at, bool(languages))
    had = past(session, {group.last_issue for group in groups if group.last_issue})
    first = {number: place for place, number in enumerate(shelf.numbers_of(session, pinned))}
    who: dict[_Content, list[Group]] = defaultdict(list)
    for group in groups:
        last = had[group.last_issue] if group.last_issue else None
        new = [entry.id for entry in articles.new_for(group.topics, last, cadence, at)]
        if new:
            new.sort(key=lambda number: first.get(number, len(first)))
            spoken = group.language if group.language in languages else ""
            who[_Content(tuple(new[:MOST_ARTICLES]), max(0, len(new) - MOST_ARTICLES), spoken)].append(group)
    shown = shelf.loaded(session, {number for content in who for number in content.articles}, at)
    found = [content.edition(shown, groups) for content, groups in who.items()]
    return [edition for edition in found if edition.articles]


def next_number(session: Session, cadence: Cadence) -> int:
    """Return the number the next issue of this cadence will carry."""
    return 1 + (session.scalar(select(func.max(Issue.number)).where(Issue.cadence == cadence)) or 0)


def notes_used(session: Session, cadence: Cadence) -> set[str]:
    """Return the editor's files that issues of this cadence have used."""
    used = select(Issue.note).where(Issue.cadence == cadence, Issue.note.is_not(None))
    return {source for source in session.scalars(used) if source}


def one_planner_at_a_time(session: Session) -> None:
    """Make other planners wait until this transaction ends; SQLite's write ticket does so by itself."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE issues IN SHARE ROW EXCLUSIVE MODE"))


def _no_sync_under_way(session: Session) -> None:
    """Wait for a sync that has set its articles' `live_at` and not committed yet.

    Otherwise an issue could reach past articles that it has not seen, and nobody would ever be sent them.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE content_version IN SHARE MODE"))


class _Content(NamedTuple):
    """What an edition holds, by the numbers of its articles."""

    articles: tuple[int, ...]
    more: int
    language: str

    def edition(self, shown: Mapping[int, Article], groups: Sequence[Group]) -> Edition:
        articles = tuple(shown[number] for number in self.articles if number in shown)
        return Edition(articles, self.more, tuple(groups), self.language)


def past(session: Session, issue_ids: set[int]) -> dict[int, Past]:
    """Return what these issues reached to and carried."""
    carried = defaultdict(set)
    rows = select(IssueArticle.issue_id, IssueArticle.article_id).where(IssueArticle.issue_id.in_(issue_ids))
    for issue_id, article_id in session.execute(rows):
        carried[issue_id].add(article_id)
    issues = session.execute(select(Issue.id, Issue.cutoff_at).where(Issue.id.in_(issue_ids)))
    return {issue_id: Past(cutoff, frozenset(carried[issue_id])) for issue_id, cutoff in issues}


def _groups(session: Session, cadence: Cadence, at: datetime, by_language: bool) -> list[Group]:
    expect_many(session)
    people, had = audience(cadence, at).subquery(), covered(session).subquery()
    place = [people.c.topics, had.c.last_issue, *([people.c.language] if by_language else [])]
    rows = session.execute(
        select(func.count(), *place)
        .join_from(people, had, had.c.recipient_id == people.c.id, isouter=True)
        .group_by(*place)
        .order_by(*place)
    )
    return [Group(topics, last_issue, count, *spoken) for count, topics, last_issue, *spoken in rows]
