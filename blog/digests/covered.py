"""Which issue each recipient had last, or may still have had: what is new to them begins after it.

The deliveries say so, and there are as many as were ever sent. So a finished issue is put away: whoever it
reached is entered in a table with one row each, and planning asks that table and the issues that are not put
away yet. What changes later is seen all the same: an entry whose delivery has come back since then counts for
nothing, and its recipient's own deliveries are asked instead; an issue that goes on after its end is asked
like any other, until it has ended again.
"""

import time
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, text, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from blog.db import Database
from blog.delivery.models import IS_UNUSUAL, Delivery, DeliveryState, Mailing
from blog.delivery.states import COVERED
from blog.delivery.upsert import upsert
from blog.digests.models import Issue, LastIssue, PutAway

PEOPLE_AT_ONCE = 5000
PIECES_AT_ONCE = 20
BREATH_SECONDS = 0.005
_LOST = [state.value for state in DeliveryState if state not in COVERED]


def covered(session: Session, after: int = 0, to: int | None = None) -> Select[int, int]:
    """Return the select of (recipient_id, last_issue), of all or of those from one number to another."""

    def within(recipient: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        return recipient > after if to is None else recipient.between(after + 1, to)

    lost = exists().where(
        Delivery.mailing_id == LastIssue.issue_id,
        Delivery.recipient_id == LastIssue.recipient_id,
        IS_UNUSUAL,
        Delivery.state.in_(_LOST),
    )
    entered = within(LastIssue.recipient_id)
    had = Delivery.state.in_(COVERED)
    found = union_all(
        select(LastIssue.recipient_id, LastIssue.issue_id).where(entered, ~lost),
        select(Delivery.recipient_id, Delivery.mailing_id).where(
            Delivery.mailing_id.in_(_not_put_away(session)), within(Delivery.recipient_id), had
        ),
        select(Delivery.recipient_id, func.max(Issue.id))
        .join(Issue, Issue.id == Delivery.mailing_id)
        .where(Delivery.recipient_id.in_(select(LastIssue.recipient_id).where(entered, lost)), had)
        .group_by(Delivery.recipient_id),
    ).subquery()
    recipient, issue = found.c
    return select(recipient, func.max(issue).label("last_issue")).group_by(recipient)


def expect_many(session: Session) -> None:
    """Have PostgreSQL join all readers with their last issues in bulk, until the transaction ends.

    It cannot know how many different readers the union above holds, takes them for 200, and those who are not
    suppressed for one; so it would go through the whole list anew for each of them.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_nestloop = off"))


def put_away(database: Database, pieces: int = PIECES_AT_ONCE) -> None:
    """Put finished issues away, a few pieces at a time: others write in between."""
    for _ in range(pieces):
        with database.transaction() as session:
            more = _step(session)
        if not more:
            return
        time.sleep(BREATH_SECONDS)


def _step(session: Session) -> bool:
    """Enter the next piece of the newest finished issue that is not put away; return whether more may be."""
    # The newest first: then its recipients need not be entered again for each issue before it.
    next_one = select(Issue.id, Mailing.finished_at).join(Mailing, Mailing.id == Issue.id)
    unfinished = Mailing.finished_at.is_not(None), ~_is_put_away()
    row = session.execute(next_one.where(*unfinished).order_by(Issue.id.desc()).limit(1)).first()
    if row is None:
        return False
    issue_id, finished_at = row
    assert finished_at is not None  # it was asked for
    mark = _mark(session, issue_id, finished_at)
    mine = Delivery.mailing_id == issue_id, Delivery.recipient_id > mark.done_to
    order = select(Delivery.recipient_id).where(*mine).order_by(Delivery.recipient_id)
    last = session.scalar(order.offset(PEOPLE_AT_ONCE - 1).limit(1))
    rows = select(Delivery.recipient_id, literal(issue_id)).where(*mine, Delivery.state.in_(COVERED))
    _enter(session, rows if last is None else rows.where(Delivery.recipient_id <= last))
    mark.done_to, mark.complete = last or mark.done_to, last is None
    return True


def _mark(session: Session, issue_id: int, finished_at: datetime) -> PutAway:
    """Return how far an issue has been put away, and keep others from going on with it meanwhile."""
    values = {"issue_id": issue_id, "as_of": finished_at, "done_to": 0, "complete": False}
    session.execute(upsert(session, PutAway).values(values).on_conflict_do_nothing())
    mark = session.scalars(select(PutAway).where(PutAway.issue_id == issue_id).with_for_update()).one()
    if mark.as_of != finished_at:
        mark.as_of, mark.done_to, mark.complete = finished_at, 0, False
    return mark


def _enter(session: Session, rows: Select[int, int]) -> None:
    insert = upsert(session, LastIssue).from_select(["recipient_id", "issue_id"], rows)
    newer = LastIssue.issue_id < insert.excluded.issue_id
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["recipient_id"], set_={"issue_id": insert.excluded.issue_id}, where=newer
        )
    )


def _not_put_away(session: Session) -> list[int]:
    """Return the issues whose deliveries are asked; numbers, since joined all deliveries would be read."""
    asked = select(Issue.id).join(Mailing, Mailing.id == Issue.id)
    return list(session.scalars(asked.where(or_(Mailing.finished_at.is_(None), ~_is_put_away()))))


def _is_put_away() -> ColumnElement[bool]:
    return exists().where(
        PutAway.issue_id == Issue.id, PutAway.complete, PutAway.as_of == Mailing.finished_at
    )
