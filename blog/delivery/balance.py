"""The exact account of a mailing: every eligible recipient is in exactly one place."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.delivery.states import DEFERRED, OPEN, PLANNED, Balance


def next_due(session: Session) -> datetime | None:
    """Return when the next delivery of a mailing that is being sent falls due; None if nothing waits."""
    return session.scalar(
        select(func.min(Delivery.next_at))
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(Mailing.state == MailingState.SENDING, Delivery.state.in_([PLANNED, DEFERRED]))
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


def uncertain(session: Session, mailing_id: int) -> list[tuple[str, str]]:
    """Return (address, Message-ID) of each delivery whose fate is unknown."""
    rows = session.execute(
        select(Delivery.address, Delivery.message_id)
        .where(Delivery.mailing_id == mailing_id, Delivery.state == DeliveryState.UNCERTAIN)
        .order_by(Delivery.id)
    )
    return [(address, message_id) for address, message_id in rows]
