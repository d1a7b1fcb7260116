"""The exact account of a mailing: every eligible recipient is in exactly one place."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.delivery.models import IS_WAITING, Delivery, DeliveryState, Mailing, MailingState
from blog.delivery.states import DEFERRED, OPEN, PLANNED, Balance, Progress

#: Over how long the pace is measured.
PACE = timedelta(minutes=1)


def next_due(session: Session) -> datetime | None:
    """Return when the next delivery of a mailing that is being sent falls due; None if nothing waits."""
    return session.scalar(
        select(func.min(Delivery.next_at))
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(Mailing.state == MailingState.SENDING, IS_WAITING)
    )


def balance(session: Session, mailing_id: int) -> Balance | None:
    """Return the exact count of a mailing's deliveries; None if there is no such mailing."""
    state = session.scalar(select(Mailing.state).where(Mailing.id == mailing_id))
    if state is None:
        return None
    rows = session.execute(
        select(Delivery.state, func.count()).where(Delivery.mailing_id == mailing_id).group_by(Delivery.state)
    )
    counts = {str(name): int(number) for name, number in rows}
    settled = {
        name: counts.get(name, 0) for name in ("accepted", "skipped", "bounced", "failed", "uncertain")
    }
    pending = sum(counts.get(open_state, 0) for open_state in OPEN)
    return Balance(state=state, eligible=sum(counts.values()), pending=pending, **settled)


def progress(session: Session, mailing_id: int, now: datetime) -> Progress | None:
    """Return how far a mailing is and how fast it goes; None if there is no such mailing."""
    found = balance(session, mailing_id)
    if found is None:
        return None
    if not found.pending:
        return Progress(found, 0.0, None, 0, None)
    settled = Delivery.state.not_in(OPEN) & (Delivery.updated_at > now - PACE)
    put_off = Delivery.state.in_([PLANNED, DEFERRED]) & (Delivery.next_at > now)
    number, first, later, next_try_at = session.execute(
        select(
            func.count().filter(settled),
            func.min(Delivery.updated_at).filter(settled),
            func.count().filter(put_off),
            func.min(Delivery.next_at).filter(put_off),
        ).where(Delivery.mailing_id == mailing_id)
    ).one()
    seconds = max((now - first).total_seconds(), 1.0) if first else 1.0
    per_second = number / seconds if found.state == MailingState.SENDING else 0.0
    due = found.pending - later
    left = due / per_second if per_second and due else None
    return Progress(found, per_second, left, later, next_try_at)


def uncertain(session: Session, mailing_id: int) -> list[tuple[str, str]]:
    """Return (address, Message-ID) of each delivery whose fate is unknown."""
    rows = session.execute(
        select(Delivery.address, Delivery.message_id)
        .where(Delivery.mailing_id == mailing_id, Delivery.state == DeliveryState.UNCERTAIN)
        .order_by(Delivery.id)
    )
    return [(address, message_id) for address, message_id in rows]
