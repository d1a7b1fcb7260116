"""Who gets which articles: each subscriber what is new since their last issue and matches their topics.

Subscribers are grouped by (topics followed, last issue they had or may have had); each group has one set of
articles, and groups with the same set share a variant. Planning is one `INSERT … SELECT` per variant.

What is new is decided by `live_at`, when readers could first see an article here, never by a file's date.
A first issue holds what appeared within one period, and at least the latest few: a newcomer has had nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select, text
from sqlalchemy.orm import Session, load_only

from blog.articles.models import Article, ArticleStatus
from blog.delivery import ledger
from blog.delivery.models import Delivery, MailingState
from blog.delivery.states import COVERED
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
GROUPS_AT_ONCE = 200


@dataclass(frozen=True)
class Group:
    """Subscribers who follow the same topics ("" = all) and had the same last issue (None: none yet)."""

    topics: str
    last_issue: int | None


@dataclass(frozen=True)
class Edition:
    """One set of articles, newest first, and the groups that get it; `more` were left out for length."""

    articles: tuple[Article, ...]
    more: int
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Draft:
    """What an issue says of itself before it has a number; `at` is the moment its editions were made for."""

    cadence: Cadence
    number: int
    title: str
    cutoff_at: datetime
    web_html: str
    at: datetime
    in_review: bool


@dataclass(frozen=True)
class Frozen:
    """An edition with its finished bytes."""

    edition: Edition
    template: bytes


def editions(session: Session, cadence: Cadence, at: datetime) -> list[Edition]:
    """Return what each group of subscribers would get of the articles that are live at `at`.

    Groups with nothing new are left out. Needs a writing transaction: see `_no_sync_under_way`.
    """
    _no_sync_under_way(session)
    articles, groups = live_articles(session, at), _groups(session, cadence, at)
    past = _past(session, {group.last_issue for group in groups if group.last_issue})
    sets: dict[tuple[int, ...], list[Group]] = defaultdict(list)
    for group in groups:
        last = past[group.last_issue] if group.last_issue else None
        chosen = tuple(article.id for article in _new_for(group, last, articles, cadence, at))
        if chosen:
            sets[chosen].append(group)
    by_id = {article.id: article for article in articles}
    return [_edition([by_id[i] for i in ids], who) for ids, who in sets.items()]


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


def open_issue(
    session: Session, draft: Draft, frozen: Iterable[Frozen], envelope_from: str, domain: str, now: datetime
) -> tuple[int, int]:
    """Create the issue, its variants and deliveries; return its number and how many are eligible.

    Nobody eligible means that another planner was faster and its deliveries cover the same people.
    """
    state = MailingState.PLANNED if draft.in_review else MailingState.SENDING
    issue_id = ledger.open_mailing(session, "digest", envelope_from, now, state)
    columns = {name: value for name, value in vars(draft).items() if name != "at"}
    session.add(Issue(id=issue_id, created_at=now, **columns))
    session.flush()
    eligible = 0
    carried: dict[int, Article] = {}
    for position, item in enumerate(frozen):
        variant = ledger.add_variant(session, issue_id, f"{position}", item.template)
        for recipients in _recipients(draft.cadence, item.edition.groups, issue_id, draft.at):
            eligible += ledger.plan(session, issue_id, variant, recipients, domain, now)
        carried.update((article.id, article) for article in item.edition.articles)
    session.add_all(
        IssueArticle(issue_id=issue_id, article_id=article_id, position=position)
        for position, article_id in enumerate(carried)
    )
    return issue_id, eligible


def next_number(session: Session, cadence: Cadence) -> int:
    """Return the number the next issue of this cadence will carry."""
    return 1 + (session.scalar(select(func.max(Issue.number)).where(Issue.cadence == cadence)) or 0)


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
    Article.live_at, Article.extra,
)  # fmt: skip


def _edition(articles: list[Article], groups: list[Group]) -> Edition:
    return Edition(tuple(articles[:MOST_ARTICLES]), max(0, len(articles) - MOST_ARTICLES), tuple(groups))


@dataclass(frozen=True)
class Past:
    """An issue that has been: up to when it reached, and what it carried."""

    cutoff_at: datetime
    carried: frozenset[int]


def _past(session: Session, issue_ids: set[int]) -> dict[int, Past]:
    carried = defaultdict(set)
    rows = select(IssueArticle.issue_id, IssueArticle.article_id).where(IssueArticle.issue_id.in_(issue_ids))
    for issue_id, article_id in session.execute(rows):
        carried[issue_id].add(article_id)
    issues = session.execute(select(Issue.id, Issue.cutoff_at).where(Issue.id.in_(issue_ids)))
    return {issue_id: Past(cutoff, frozenset(carried[issue_id])) for issue_id, cutoff in issues}


def _groups(session: Session, cadence: Cadence, at: datetime) -> list[Group]:
    people, covered = audience(cadence, at).subquery(), _covered().subquery()
    rows = session.execute(
        select(people.c.topics, covered.c.last_issue)
        .join_from(people, covered, covered.c.recipient_id == people.c.id, isouter=True)
        .group_by(people.c.topics, covered.c.last_issue)
        .order_by(people.c.topics, covered.c.last_issue)
    )
    return [Group(topics, last_issue) for topics, last_issue in rows]


def _covered(but_issue: int = 0) -> Select[int, int]:
    """Return for each recipient the last issue they had, or may still have had.

    The issue being planned is left out: its own deliveries do not mean that somebody has had it already.
    """
    return (
        select(Delivery.recipient_id, func.max(Issue.id).label("last_issue"))
        .join(Issue, Issue.id == Delivery.mailing_id)
        .where(Delivery.state.in_(COVERED), Issue.id != but_issue)
        .group_by(Delivery.recipient_id)
    )


def _recipients(
    cadence: Cadence, groups: Sequence[Group], issue_id: int, at: datetime
) -> Iterator[Select[tuple[int, str, str, str]]]:
    people, covered = audience(cadence, at).subquery(), _covered(but_issue=issue_id).subquery()
    for start in range(0, len(groups), GROUPS_AT_ONCE):
        matches = [
            and_(
                people.c.topics == group.topics,
                covered.c.last_issue.is_(None)
                if group.last_issue is None
                else covered.c.last_issue == group.last_issue,
            )
            for group in groups[start : start + GROUPS_AT_ONCE]
        ]
        yield (
            select(people.c.id, people.c.public_id, people.c.address, people.c.address_hash)
            .join_from(people, covered, covered.c.recipient_id == people.c.id, isouter=True)
            .where(or_(*matches))
        )


def _new_for(
    group: Group, last: Past | None, articles: Sequence[Article], cadence: Cadence, at: datetime
) -> list[Article]:
    followed = set(group.topics.split(",")) if group.topics else None
    matching = [a for a in articles if followed is None or followed & {t.topic for t in a.topics}]
    if last is not None:
        return [a for a in matching if _live_at(a) > last.cutoff_at and a.id not in last.carried]
    reach, at_least = FIRST_ISSUE[cadence]
    latest = sorted(matching, key=lambda a: (a.published_at, a.id), reverse=True)[:at_least]
    return [a for a in matching if a in latest or _live_at(a) > at - reach]


def _live_at(article: Article) -> datetime:
    assert article.live_at is not None  # the query asked for live ones
    return article.live_at
