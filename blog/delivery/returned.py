"""What comes back after the relay took a mail: the delivery's last word, and the story that leads to it."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from blog.delivery import events, health
from blog.delivery.events import Event
from blog.delivery.models import Delivery, DeliveryState, OutboxMail

#: A bounce comes within five days (RFC 5321 §4.5.4.1): what has not come back by then has arrived.
ARRIVED_AFTER = timedelta(days=5)
_RETURNABLE = [DeliveryState.ACCEPTED.value, DeliveryState.UNCERTAIN.value]


def came_back(
    session: Session, delivery: Delivery, state: DeliveryState, why: str, words: str, now: datetime
) -> bool:
    """Record that a delivery came back; False if it is not one that the relay has, or may have."""
    before, taken_at, reply = DeliveryState(delivery.state), delivery.updated_at, delivery.reply
    # Words may be quoted from an address; of somebody who was erased since then nothing is kept.
    words = words if delivery.address else ""
    changed = session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.state.in_(_RETURNABLE))
        .values(state=state, reason=f"came back: {why}", reply=words, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    if state is DeliveryState.BOUNCED:
        health.bounced(session, [delivery.id])
    if before is DeliveryState.ACCEPTED:
        events.note(session, delivery.mailing_id, Event.TAKEN, taken_at, delivery.id, reply or "")
    return True


def complained(session: Session, delivery: Delivery, words: str, now: datetime) -> None:
    """Record that a delivery was reported as spam; so it had arrived, if that was uncertain."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.state == DeliveryState.UNCERTAIN)
        .values(state=DeliveryState.ACCEPTED, reason="reported as spam", updated_at=now)
        .execution_options(synchronize_session=False)
    )
    events.note(session, delivery.mailing_id, Event.COMPLAINED, now, delivery.id, words)
    health.complained(session, delivery.mailing_id)


def single_came_back(session: Session, mail: OutboxMail, words: str) -> None:
    """Keep with a single mail why it came back."""
    session.execute(
        update(OutboxMail)
        .where(OutboxMail.id == mail.id)
        .values(reply=f"came back: {words}")
        .execution_options(synchronize_session=False)
    )


def last_arrival(session: Session, delivery: Delivery, now: datetime) -> datetime | None:
    """Return when a mail to the same mailbox was last taken and did not come back."""
    return session.scalar(
        select(func.max(Delivery.updated_at)).where(
            Delivery.recipient_id == delivery.recipient_id,
            Delivery.address_hash == delivery.address_hash,
            Delivery.state == DeliveryState.ACCEPTED,
            Delivery.updated_at < now - ARRIVED_AFTER,
            Delivery.id != delivery.id,
        )
    )
