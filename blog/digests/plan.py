"""Who gets which articles: each subscriber what is new since their last issue and matches their topics.

Subscribers are grouped by (topics followed, last issue they had or may have had); each group has one set of
articles, and groups with the same set share a variant. `filling` writes the deliveries, piece by piece.

What is new is decided by `live_at`, when readers could first see an article here, never by a file's date.
A first issue holds what appeared within one period, and at least the latest few: a newcomer has had nothing.
Whoever comes back after a pause gets what they missed, the newest `MOST_ARTICLES` of it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import Session, load_only

from blog.articles.models import Article, ArticleStatus
from blog.delivery.models import Delivery
from blog.delivery.states import COVERED
from blog.digests import editorial
from blog.digests.models import Issue, IssueArticle
from blog.subscribers.audience import audience
from blog.subscribers.models import Cadence

MOST_ARTICLES = 20
#: A first issue: how far back it reaches, and how many articles it holds at least.
FIRST_ISSUE = {
    Cadence.INSTANT: (timedelta(days=1), 1),
    Cadence.DAILY: (timedelta(days=1), 5),
    Cadence.WEEKLY: (timedelta(days=7), 5),
    Cadence.MONTHLY: (timedelta(days=31), 5),
}


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


def articles_at(session: Session, at: datetime) -> Sequence[Article]:
    """Return the live articles, newest first; needs a writing transaction: see `_no_sync_under_way`."""
    _no_sync_under_way(session)
    return live_articles(session, at)


def editions(
    session: Session,
    cadence: Cadence,
    at: datetime,
    articles: Sequence[Article],
    pinned: tuple[str, ...] = (),
    languages: tuple[str, ...] = (),
) -> list[Edition]:
    """Return what each group would get of these articles; groups with nothing new are left out.

    What is pinned stands first for those to whom it is new; nobody gets anything for the second time by it.
    Whoever chose one of `languages`, which are not the site's own, gets an edition in it.
    """
    groups = _groups(session, cadence, at, bool(languages))
    had = past(session, {group.last_issue for group in groups if group.last_issue})
    places = _places(articles)
    sets: dict[tuple[tuple[int, ...], str], list[Group]] = defaultdict(list)
    for group in groups:
        last = had[group.last_issue] if group.last_issue else None
        matching = (
            [articles[place] for place in _followed(group.topics, places)] if group.topics else articles
        )
        chosen = tuple(article.id for article in new_for(last, matching, cadence, at))
        if chosen:
            sets[chosen, group.language if group.language in languages else ""].append(group)
    by_id = {article.id: article for article in articles}
    return [
        _edition(editorial.pinned_first((by_id[i] for i in ids), pinned), who, spoken)
        for (ids, spoken), who in sets.items()
    ]


def live_articles(session: Session, cutoff: datetime) -> Sequence[Article]:
    """Return the articles that readers can see at `cutoff`, newest first, without their bodies."""
    return session.scalars(
        select(Article)
        .where(
            Article.status == ArticleStatus.PUBLISHED,
            Article.removed_at.is_(None),
            Article.live_at <= cutoff,
            Article.published_at <= cutoff,
            or_(Article.expires_at.is_(None), Article.expires_at > cutoff),
        )
        .order_by(Article.live_at.desc(), Article.published_at.desc(), Article.id.desc())
        .options(load_only(*_LISTED))
    ).all()


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


_LISTED = (
    Article.slug, Article.title, Article.description, Article.excerpt, Article.minutes, Article.published_at,
    Article.live_at, Article.extra, Article.language, Article.authors,
)  # fmt: skip


def _edition(articles: list[Article], groups: list[Group], spoken: str) -> Edition:
    more = max(0, len(articles) - MOST_ARTICLES)
    return Edition(tuple(articles[:MOST_ARTICLES]), more, tuple(groups), spoken)


@dataclass(frozen=True)
class Past:
    """An issue that has been: up to when it reached, and what it carried."""

    cutoff_at: datetime
    carried: frozenset[int]


def past(session: Session, issue_ids: set[int]) -> dict[int, Past]:
    """Return what these issues reached to and carried."""
    carried = defaultdict(set)
    rows = select(IssueArticle.issue_id, IssueArticle.article_id).where(IssueArticle.issue_id.in_(issue_ids))
    for issue_id, article_id in session.execute(rows):
        carried[issue_id].add(article_id)
    issues = session.execute(select(Issue.id, Issue.cutoff_at).where(Issue.id.in_(issue_ids)))
    return {issue_id: Past(cutoff, frozenset(carried[issue_id])) for issue_id, cutoff in issues}


def _groups(session: Session, cadence: Cadence, at: datetime, by_language: bool) -> list[Group]:
    people, had = audience(cadence, at).subquery(), covered().subquery()
    place = [people.c.topics, had.c.last_issue, *([people.c.language] if by_language else [])]
    rows = session.execute(
        select(func.count(), *place)
        .join_from(people, had, had.c.recipient_id == people.c.id, isouter=True)
        .group_by(*place)
        .order_by(*place)
    )
    return [Group(topics, last_issue, count, *spoken) for count, topics, last_issue, *spoken in rows]


def covered() -> Select[int, int]:
    """Return for each recipient the last issue they had, or may still have had."""
    return (
        select(Delivery.recipient_id, func.max(Issue.id).label("last_issue"))
        .join(Issue, Issue.id == Delivery.mailing_id)
        .where(Delivery.state.in_(COVERED))
        .group_by(Delivery.recipient_id)
    )


def _places(articles: Sequence[Article]) -> dict[str, list[int]]:
    """Return where the articles of each topic stand: a thousand groups must not look at every article."""
    found: dict[str, list[int]] = defaultdict(list)
    for place, article in enumerate(articles):
        for topic in article.topics:
            found[topic.topic].append(place)
    return found


def _followed(topics: str, places: dict[str, list[int]]) -> list[int]:
    return sorted({place for topic in topics.split(",") for place in places.get(topic, ())})


def new_for(last: Past | None, matching: Sequence[Article], cadence: Cadence, at: datetime) -> list[Article]:
    """Return those of the articles that a group follows that are new to it, newest first."""
    if last is not None:
        return [a for a in matching if _live_at(a) > last.cutoff_at and a.id not in last.carried]
    reach, at_least = FIRST_ISSUE[cadence]
    latest = sorted(matching, key=lambda a: (a.published_at, a.id), reverse=True)[:at_least]
    return [a for a in matching if a in latest or _live_at(a) > at - reach]


def _live_at(article: Article) -> datetime:
    assert article.live_at is not None  # the query asked for live ones
    return article.live_at
