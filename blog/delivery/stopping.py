"""Stops a mailing that the relay refuses because of us, before every recipient of it is refused as well."""

from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from blog.delivery import events
from blog.delivery.events import Event
from blog.delivery.models import Delivery, DeliveryEvent, DeliveryState, Mailing, MailingState
from blog.delivery.states import PLANNED

#: So many refusals in a row, none of which is about a recipient, are no coincidence.
MOST_IN_A_ROW = 3
REFUSED_US = "refused us"

log = structlog.get_logger(__name__)


def stop(session: Session, mailing_id: int, reply: str, now: datetime, event: Event = Event.STOPPED) -> bool:
    """Pause a mailing that is being sent, and say loudly why and how to go on; return whether it was."""
    paused = session.execute(
        update(Mailing)
        .where(Mailing.id == mailing_id, Mailing.state == MailingState.SENDING)
        .values(state=MailingState.PAUSED, first_to=None)
        .execution_options(synchronize_session=False)
    )
    if paused.rowcount != 1:  # type: ignore[attr-defined]
        return False
    events.note(session, mailing_id, event, now, words=reply)
    name = "digest.stopped_by_relay" if event is Event.STOPPED else "digest.paused_by_itself"
    log.error(name, issue=mailing_id, why=reply, go_on_with=f"blog digest resume {mailing_id}")
    return True


def try_again(session: Session, mailing_id: int, now: datetime) -> None:
    """Put those who were refused because of us back in the queue: a 5xx means that nobody has the message."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.mailing_id == mailing_id,
            Delivery.state == DeliveryState.FAILED,
            Delivery.reason == REFUSED_US,
        )
        .values(state=PLANNED, reason=None, next_at=now, updated_at=now, owner=None, slot=None)
        .execution_options(synchronize_session=False)
    )


def reason(session: Session, mailing_id: int, event: Event = Event.STOPPED) -> str | None:
    """Return what the relay said last to a mailing that is stopped now, or why else it paused by itself."""
    last = select(DeliveryEvent.event).where(
        DeliveryEvent.mailing_id == mailing_id,
        DeliveryEvent.delivery_id.is_(None),
        DeliveryEvent.event.in_([Event.STOPPED, Event.TOO_MANY, Event.PAUSED, Event.FIRST_DONE]),
    )
    if session.scalar(last.order_by(DeliveryEvent.id.desc()).limit(1)) != event:
        return None
    return session.scalar(
        select(DeliveryEvent.words)
        .join(Mailing, Mailing.id == DeliveryEvent.mailing_id)
        .where(
            DeliveryEvent.mailing_id == mailing_id,
            DeliveryEvent.delivery_id.is_(None),
            DeliveryEvent.event == event,
            Mailing.state == MailingState.PAUSED,
        )
        .order_by(DeliveryEvent.id.desc())
        .limit(1)
    )
