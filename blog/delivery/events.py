"""What happened to a mailing and to single deliveries on their way: the memory behind "why did X get this?".

Only what is out of the ordinary is written, so that the usual message costs no row more.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.orm import Session

from blog.delivery.models import Delivery, DeliveryEvent, DeliveryState
from blog.delivery.states import Result

LONGEST = 500


class Event(StrEnum):
    """What happened: to a mailing as a whole, then to one delivery."""

    APPROVED = "approved"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"
    FIRST_DONE = "paused after the first"
    STOPPED = "stopped: the relay refuses us"
    TOO_MANY = "paused: too many came back"
    CANARY_WELL = "the first share went well"

    DEFERRED = "deferred"
    CONNECTION_LOST = "connection lost"
    RESENT = "resent"
    UNCERTAIN = "uncertain"
    HELD = "held"
    SETTLED = "settled as accepted"
    TAKEN = "taken by the relay"
    COMPLAINED = "reported as spam"


#: Results that leave no trace in the delivery's row once the next one is written over them.
_PASSING = (DeliveryState.DEFERRED, DeliveryState.PLANNED, DeliveryState.UNCERTAIN)


def note(
    session: Session,
    mailing_id: int,
    event: Event,
    now: datetime,
    delivery_id: int | None = None,
    words: str = "",
) -> None:
    """Write down one event of a mailing, or of one of its deliveries."""
    session.add(
        DeliveryEvent(
            mailing_id=mailing_id, delivery_id=delivery_id, at=now, event=event, words=words[:LONGEST]
        )
    )
    session.flush()


def note_results(
    connection: Connection, state: DeliveryState, results: Sequence[Result], now: datetime
) -> None:
    """Write down results that a later one will cover."""
    if state not in _PASSING:
        return
    numbers = [result.delivery_id for result in results]
    mailings = dict(
        connection.execute(select(Delivery.id, Delivery.mailing_id).where(Delivery.id.in_(numbers))).all()
    )
    rows = [
        {
            "mailing_id": mailings[result.delivery_id],
            "delivery_id": result.delivery_id,
            "at": now,
            "event": _of(result),
            "words": result.reply[:LONGEST],
        }
        for result in results
    ]
    connection.execute(insert(DeliveryEvent), rows)


def of(session: Session, mailing_id: int, delivery_id: int | None) -> Sequence[DeliveryEvent]:
    """Return what happened to a mailing, and to one of its deliveries if one is named, oldest first."""
    whose = or_(DeliveryEvent.delivery_id.is_(None), DeliveryEvent.delivery_id == delivery_id)
    found = select(DeliveryEvent).where(DeliveryEvent.mailing_id == mailing_id, whose)
    return session.scalars(found.order_by(DeliveryEvent.at, DeliveryEvent.id)).all()


def forget_words(session: Session, mailing_id: int, delivery_id: int) -> None:
    """Wipe what relays said about a delivery, which may quote the address."""
    session.execute(
        update(DeliveryEvent)
        .where(DeliveryEvent.mailing_id == mailing_id, DeliveryEvent.delivery_id == delivery_id)
        .values(words="")
        .execution_options(synchronize_session=False)
    )


def _of(result: Result) -> Event:
    if result.state == DeliveryState.DEFERRED:
        return Event.DEFERRED
    if result.state == DeliveryState.UNCERTAIN:
        return Event.UNCERTAIN
    return Event.RESENT if result.unknown else Event.CONNECTION_LOST
