"""Writing an issue's deliveries piece by piece: begun in one transaction, filled in many, opened by the last.

Between two pieces other writers have their turn. Each piece is one statement over a range of subscribers and
moves a mark in the same transaction, so whoever finds a plan half-way, after a kill or beside another worker,
goes on from the mark. No claim sees the mailing before it is complete.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, and_, delete, func, insert, literal, select, text, update
from sqlalchemy.orm import Session

from blog.articles.models import Article
from blog.delivery import balance, ledger
from blog.delivery.models import Mailing, MailingState, Variant
from blog.digests.covered import covered
from blog.digests.models import EditionRow, Issue, IssueArticle, Plan, PlanGroup, PlanZone, ScheduleRun
from blog.digests.plan import Edition
from blog.subscribers.audience import audience
from blog.subscribers.models import Cadence, Subscriber

#: Some 50 ms of SQLite's write lock.
PEOPLE_AT_ONCE = 2000
#: A fifth of the bytes in a third of a millisecond.
PACKING = 1


@dataclass(frozen=True)
class Draft:
    """What an issue says of itself before it has a number; `at` is the moment its editions were made for."""

    cadence: Cadence
    number: int
    title: str
    language: str
    cutoff_at: datetime
    web_html: str
    at: datetime
    review: bool
    note: str | None = None
    local: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Frozen:
    """An edition with its finished bytes, packed: the thousand of an issue all wait for the last of them."""

    edition: Edition
    packed: bytes

    @classmethod
    def of(cls, edition: Edition, template: bytes) -> "Frozen":
        """Pack the bytes of an edition."""
        return cls(edition, zlib.compress(template, PACKING))

    @property
    def template(self) -> bytes:
        """The bytes as they are sent."""
        return zlib.decompress(self.packed)


def begin(
    session: Session, draft: Draft, frozen: Iterable[Frozen], envelope_from: str, domain: str, now: datetime
) -> int:
    """Create the issue, its variants and the plan of who gets which; return its number."""
    issue_id = ledger.open_mailing(session, "digest", envelope_from, now, MailingState.PLANNING)
    columns = {name: value for name, value in vars(draft).items() if name not in ("at", "review", "local")}
    session.add(Issue(id=issue_id, created_at=now, in_review=True, **columns))
    session.flush()
    carried: dict[int, Article] = {}
    for position, item in enumerate(frozen):
        variant = ledger.add_variant(session, issue_id, f"{position}", item.template)
        _note_edition(session, issue_id, variant, item.edition)
        carried.update((article.id, article) for article in item.edition.articles)
    session.add_all(
        IssueArticle(issue_id=issue_id, article_id=article_id, position=position)
        for position, article_id in enumerate(carried)
    )
    last = session.scalar(select(func.max(Subscriber.id))) or 0
    session.add(
        Plan(
            issue_id=issue_id, at=draft.at, due_at=now, domain=domain, review=draft.review, done_to=0,
            last_id=last, eligible=0,
        )
    )  # fmt: skip
    session.flush()
    session.add_all(
        PlanZone(issue_id=issue_id, timezone=zone, due_at=due_at) for zone, due_at in draft.local.items()
    )
    _count_groups(session)
    return issue_id


def unfinished(session: Session) -> list[int]:
    """Return the issues whose deliveries are not all written, oldest first."""
    return list(session.scalars(select(Plan.issue_id).order_by(Plan.issue_id)))


def step(session: Session, issue_id: int, now: datetime) -> bool:
    """Write the next piece of a plan, and open the issue with the last one; return whether more is left."""
    found = session.scalar(select(Plan).where(Plan.issue_id == issue_id).with_for_update())
    issue = session.get(Issue, issue_id)
    if found is None or issue is None:
        return False
    to = min(found.done_to + PEOPLE_AT_ONCE, found.last_id)
    who = _recipients(session, issue, found, to)
    found.eligible += ledger.plan(session, issue_id, who, found.domain, now)
    found.done_to = to
    if to < found.last_id:
        return True
    _complete(session, found, issue)
    return False


def eligible(session: Session, issue_id: int) -> int:
    """Return how many deliveries an issue has; 0 if nobody turned out to need it, and it is gone."""
    return session.scalar(select(Mailing.recipients).where(Mailing.id == issue_id)) or 0


def _note_edition(session: Session, issue_id: int, variant_id: int, edition: Edition) -> None:
    numbers = [article.id for article in edition.articles]
    session.add(
        EditionRow(variant_id=variant_id, articles=numbers, more=edition.more, language=edition.language)
    )
    rows = [
        {
            "issue_id": issue_id,
            "topics": group.topics,
            "last_issue": group.last_issue or 0,
            "language": group.language,
            "variant_id": variant_id,
        }
        for group in edition.groups
    ]
    session.flush()
    session.execute(insert(PlanGroup), rows)


def _count_groups(session: Session) -> None:
    """Tell PostgreSQL how many groups there are: it takes them for one, and asks the whole audience for each.

    With a thousand of them and a million readers that was most of a plan (benchmarks/million.py).
    """
    if session.get_bind().dialect.name == "postgresql":
        session.flush()
        session.execute(text("ANALYZE plan_groups"))


def _recipients(
    session: Session, issue: Issue, found: Plan, to: int
) -> Select[int, str, str, str, int, datetime]:
    everybody = audience(Cadence(issue.cadence), found.at)
    people = everybody.where(Subscriber.id > found.done_to, Subscriber.id <= to).subquery()
    # This issue's own deliveries are of earlier pieces, so they do not hide an earlier issue here.
    had = covered(session, found.done_to, to).subquery()
    due_at = func.coalesce(PlanZone.due_at, literal(found.due_at, PlanZone.due_at.type))
    person = people.c.id, people.c.public_id, people.c.address, people.c.address_hash
    return (
        select(*person, PlanGroup.variant_id, due_at)
        .join_from(people, had, had.c.recipient_id == people.c.id, isouter=True)
        .join(
            PlanGroup,
            and_(
                PlanGroup.issue_id == issue.id,
                PlanGroup.topics == people.c.topics,
                PlanGroup.last_issue == func.coalesce(had.c.last_issue, 0),
                PlanGroup.language.in_(("", people.c.language)),
            ),
        )
        .join(Subscriber, Subscriber.id == people.c.id)
        .join(
            PlanZone,
            and_(PlanZone.issue_id == issue.id, PlanZone.timezone == Subscriber.timezone),
            isouter=True,
        )
    )


def _complete(session: Session, found: Plan, issue: Issue) -> None:
    for table in (PlanGroup, PlanZone):
        session.execute(delete(table).where(table.issue_id == issue.id))
    if found.eligible == 0:
        _discard(session, found, issue)
        return
    balance.complete(session, issue.id, found.eligible)
    issue.in_review = found.review
    state = MailingState.PLANNED if found.review else MailingState.SENDING
    session.execute(update(Mailing).where(Mailing.id == issue.id).values(state=state))
    session.delete(found)


def _discard(session: Session, found: Plan, issue: Issue) -> None:
    """Take an issue away that nobody needs: all have left meanwhile, or another planner was faster."""
    variants = select(Variant.id).where(Variant.mailing_id == issue.id)
    session.delete(found)
    session.flush()
    for statement in (
        update(ScheduleRun).where(ScheduleRun.issue_id == issue.id).values(issue_id=None),
        delete(IssueArticle).where(IssueArticle.issue_id == issue.id),
        delete(EditionRow).where(EditionRow.variant_id.in_(variants)),
        delete(Variant).where(Variant.mailing_id == issue.id),
        delete(Issue).where(Issue.id == issue.id),
        delete(Mailing).where(Mailing.id == issue.id),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expunge(issue)
