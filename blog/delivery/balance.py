"""The exact account of a mailing: every eligible recipient is in exactly one place.

Nobody counts what was accepted. How many recipients a mailing has is known when it is planned, and whoever
does not wait, is not in hand and had no other end than the usual one was accepted. PostgreSQL keeps how many
wait and how many had another end (`tallies`), so that an account of millions costs what one of ten does; on
SQLite they stand in small indexes, and it costs as much as is still to be sent or went wrong.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, TextClause, func, literal, select, union_all, update
from sqlalchemy.orm import Session

from blog.delivery import tallies
from blog.delivery.models import (
    IS_IN_HAND,
    IS_UNUSUAL,
    IS_WAITING,
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
)
from blog.delivery.states import DEFERRED, LONG_AGO, OPEN, PLANNED, Balance, Progress

#: Over how long the pace is measured, and among how many of those whose turn was last.
PACE = timedelta(minutes=1)
RECENT = 20_000
#: How many that wait for their time are counted.
MOST = 100_000
#: How many mailings of before are counted in one go.
COUNTED_AT_ONCE = 10


def next_due(session: Session) -> datetime | None:
    """Return when the next delivery of a mailing that is being sent falls due; None if nothing waits."""
    return session.scalar(
        select(func.min(Delivery.next_at))
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(Mailing.state == MailingState.SENDING, IS_WAITING)
    )


def balance(session: Session, mailing_id: int) -> Balance | None:
    """Return the exact account of a mailing; None if there is no such mailing."""
    state = session.scalar(select(Mailing.state).where(Mailing.id == mailing_id))
    if state is None:
        return None
    counts = states(session, mailing_id)
    settled = {
        name: counts.get(name, 0) for name in ("accepted", "skipped", "bounced", "failed", "uncertain")
    }
    pending = sum(counts.get(open_state, 0) for open_state in OPEN)
    return Balance(state=state, eligible=sum(counts.values()), pending=pending, **settled)


def states(session: Session, mailing_id: int) -> dict[str, int]:
    """Return how many of a mailing's deliveries are in which state."""
    recipients = session.scalar(select(Mailing.recipients).where(Mailing.id == mailing_id))
    if recipients is None:
        return recount(session, mailing_id)
    kept = tallies.are_kept(session)
    others = [tallies.kept(mailing_id)] if kept else [_waiting(mailing_id), _unusual(mailing_id)]
    # One statement: a delivery that moves between two would be counted twice, or not at all.
    rows = session.execute(union_all(_in_hand(mailing_id), *others))
    counts = {str(name): int(number) for name, number in rows}
    counts[PLANNED] = counts.get(PLANNED, 0) + (recipients if kept else -counts.get(DEFERRED, 0))
    counts[DeliveryState.ACCEPTED] = recipients - sum(counts.values())
    return counts


def recount(session: Session, mailing_id: int) -> dict[str, int]:
    """Return the same by counting every row: while a mailing is planned, or was by a version before."""
    rows = select(Delivery.state, func.count()).where(Delivery.mailing_id == mailing_id)
    return {str(name): int(number) for name, number in session.execute(rows.group_by(Delivery.state))}


def differences(session: Session, mailing_id: int) -> list[str]:
    """Return where the account is not what the rows say, one state a line; all rows are read."""
    told, counted = states(session, mailing_id), recount(session, mailing_id)
    return [
        f"{told.get(name, 0):,} {name} by the balance, {counted.get(name, 0):,} by the rows"
        for name in DeliveryState
        if told.get(name, 0) != counted.get(name, 0)
    ]


def complete(session: Session, mailing_id: int, recipients: int) -> None:
    """Note how many deliveries a mailing has, now that all are planned."""
    session.execute(
        update(Mailing)
        .where(Mailing.id == mailing_id)
        .values(recipients=recipients)
        .execution_options(synchronize_session=False)
    )


def count_earlier(session: Session) -> None:
    """Count the deliveries of a few mailings that a version before has planned."""
    unknown = Mailing.recipients.is_(None), Mailing.state != MailingState.PLANNING
    for mailing_id in session.scalars(select(Mailing.id).where(*unknown).limit(COUNTED_AT_ONCE)).all():
        complete(session, mailing_id, planned(session, mailing_id))


def planned(session: Session, mailing_id: int) -> int:
    """Count the deliveries of a mailing, in an index alone."""
    counted = select(func.count()).select_from(Delivery).where(Delivery.mailing_id == mailing_id)
    return session.scalar(counted) or 0


def progress(session: Session, mailing_id: int, now: datetime) -> Progress | None:
    """Return how far a mailing is and how fast it goes; None if there is no such mailing."""
    found = balance(session, mailing_id)
    if found is None:
        return None
    if not found.pending:
        return Progress(found, 0.0, None, 0, 0, None)
    later, next_try_at = _up_to(session, mailing_id, Delivery.next_at > now)
    due = found.pending - later
    if later == MOST:
        now_due, _ = _up_to(session, mailing_id, Delivery.next_at <= now)
        due = min(due, now_due) if now_due < MOST else due
    per_second = _pace(session, mailing_id, now) if found.state == MailingState.SENDING else 0.0
    left = due / per_second if per_second and due else None
    return Progress(found, per_second, left, due, later, next_try_at)


def _up_to(session: Session, mailing_id: int, when: ColumnElement[bool]) -> tuple[int, datetime | None]:
    """Return how many wait whose time is then, `MOST` for as many or more, and the first of those times."""
    mine = select(Delivery.next_at).where(Delivery.mailing_id == mailing_id, IS_WAITING, when)
    first = mine.order_by(Delivery.next_at).limit(MOST).subquery()
    number, at = session.execute(select(func.count(), func.min(first.c.next_at))).one()
    return int(number), at


def _pace(session: Session, mailing_id: int, now: datetime) -> float:
    """Return how many a second were settled, of late, among those just before the ones whose turn is next."""
    mine = Delivery.mailing_id == mailing_id
    waiting = select(Delivery.id).where(mine, IS_WAITING, Delivery.next_at > LONG_AGO)
    last = select(Delivery.id).where(mine).order_by(Delivery.recipient_id.desc()).limit(1)
    turn = session.scalar(waiting.order_by(Delivery.next_at, Delivery.id).limit(1)) or session.scalar(last)
    settled = select(func.count(), func.min(Delivery.updated_at)).where(
        mine,
        Delivery.id.between((turn or 0) - RECENT, (turn or 0) + RECENT),
        Delivery.state.not_in(OPEN),
        Delivery.updated_at > now - PACE,
    )
    # By their numbers: SQLite would take the index of the whole issue.
    number, first = session.execute(settled.with_hint(Delivery, "NOT INDEXED", "sqlite")).one()
    return float(number / max((now - first).total_seconds(), 1.0)) if first else 0.0


def uncertain(session: Session, mailing_id: int) -> list[tuple[str, str]]:
    """Return (address, Message-ID) of each delivery whose fate is unknown."""
    rows = session.execute(
        select(Delivery.address, Delivery.message_id)
        .with_hint(Delivery, "INDEXED BY ix_deliveries_unusual", "sqlite")
        .where(Delivery.mailing_id == mailing_id, IS_UNUSUAL, Delivery.state == DeliveryState.UNCERTAIN)
        .order_by(Delivery.id)
    )
    return [(address, message_id) for address, message_id in rows]


def _waiting(mailing_id: int) -> Select[str, int]:
    return _in("due", select(literal(PLANNED.value), func.count()), mailing_id, IS_WAITING)


def _in_hand(mailing_id: int) -> Select[str, int]:
    found = select(Delivery.state, func.count()).group_by(Delivery.state)
    return _in("live", found, mailing_id, IS_IN_HAND)


def _unusual(mailing_id: int) -> Select[str, int]:
    found = select(Delivery.state, func.count()).group_by(Delivery.state)
    return _in("unusual", found, mailing_id, IS_UNUSUAL)


def _in(index: str, found: Select[str, int], mailing_id: int, condition: TextClause) -> Select[str, int]:
    """Have a question asked of a small index: SQLite would walk through the whole issue."""
    asked = found.select_from(Delivery).with_hint(Delivery, f"INDEXED BY ix_deliveries_{index}", "sqlite")
    return asked.where(Delivery.mailing_id == mailing_id, condition)
