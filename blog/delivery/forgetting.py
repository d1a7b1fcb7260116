"""What was sent to one recipient, and how to forget their address without unbalancing the count."""

from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from blog.delivery import events
from blog.delivery.models import Delivery, DeliveryState, OutboxMail
from blog.delivery.states import DEFERRED, PLANNED

ERASED = "erased"


def history(session: Session, recipient_id: int) -> list[dict[str, Any]]:
    """Return what this recipient was sent, oldest first."""
    rows = select(Delivery).where(Delivery.recipient_id == recipient_id).order_by(Delivery.id)
    return [
        {
            "mailing": row.mailing_id,
            "address": row.address,
            "state": row.state,
            "at": row.updated_at.isoformat(),
            "message_id": row.message_id,
        }
        for row in session.scalars(rows)
    ]


def forget(session: Session, recipient_id: int) -> None:
    """Wipe a recipient's address and the relay's words, which may quote it, from every row.

    What has not been handed over yet is skipped. A hand-over under way keeps its state: the sender owns it,
    and its hash stays until the suppression list has stopped it.
    """
    waiting = Delivery.state.in_([PLANNED, DEFERRED])
    session.execute(
        update(Delivery)
        .where(Delivery.recipient_id == recipient_id)
        .values(
            address="",
            reply=None,
            state=case((waiting, DeliveryState.SKIPPED.value), else_=Delivery.state),
            reason=case((waiting, ERASED), else_=Delivery.reason),
        )
        .execution_options(synchronize_session=False)
    )

    theirs = select(Delivery.mailing_id, Delivery.id).where(Delivery.recipient_id == recipient_id)
    for mailing_id, delivery_id in session.execute(theirs).all():
        events.forget_words(session, mailing_id, delivery_id)


def forget_replies(session: Session, kinds: list[str], subject_id: int) -> None:
    """Wipe what relays have said about somebody's single mails, which may quote the address."""
    session.execute(
        update(OutboxMail)
        .where(OutboxMail.kind.in_(kinds), OutboxMail.subject_id == subject_id)
        .values(reply=None)
        .execution_options(synchronize_session=False)
    )
