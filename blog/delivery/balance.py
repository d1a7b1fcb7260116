"""The exact account of a mailing: every eligible recipient is in exactly one place.

Nobody counts what was accepted. How many recipients a mailing has is known when it is planned; who waits,
is in hand, or had another end than the usual one stands in a small index, and all others were accepted. So
an account costs as much as is still to be sent or went wrong, and the sender keeps no counter for it.
"""

from datetime import datetime, timedelta

from sqlalchemy import Select, TextClause, func, literal, select, union_all, update
from sqlalchemy.orm import Session

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
    # One statement: a delivery that moves between two would be counted twice, or not at all.
    rows = session.execute(union_all(_waiting(mailing_id), _in_hand(mailing_id), _unusual(mailing_id)))
    counts = {str(name): int(number) for name, number in rows}
    counts[PLANNED] -= counts.get(DEFERRED, 0)
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
        return Progress(found, 0.0, None, 0, None)
    put_off = select(func.count(), func.min(Delivery.next_at)).where(
        Delivery.mailing_id == mailing_id, IS_WAITING, Delivery.next_at > now
    )
    later, next_try_at = session.execute(put_off).one()
    per_second = _pace(session, mailing_id, now) if found.state == MailingState.SENDING else 0.0
    due = found.pending - later
    left = due / per_second if per_second and due else None
    return Progress(found, per_second, left, later, next_try_at)


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
