"""Upkeep: one reminder to whoever has not pressed the button yet, then forgetting them altogether.

Every step is one statement or one lock away from its condition, so several workers at once are harmless.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from blog.delivery import outbox, suppression
from blog.delivery.suppression import SILENT
from blog.subscribers import rationing
from blog.subscribers.models import AddressChange, ConsentEvent, Mail, Status, Subscriber

#: Longer than a confirmation link works, and than an outbox that waits for its relay gives up.
UNCONFIRMED_KEPT = timedelta(days=30)
#: When the first link has just died, and the person may still remember having asked.
REMINDED_AFTER = timedelta(days=3)
AT_ONCE = 500


def remind(session: Session, domain: str, now: datetime) -> int:
    """Remind those who asked three days ago and have not answered, once; return how many."""
    waiting = select(Subscriber).where(
        Subscriber.status == Status.PENDING,
        Subscriber.confirmed_at.is_(None),
        Subscriber.reminded_at.is_(None),
        Subscriber.confirm_mailed_at < now - REMINDED_AFTER,
        Subscriber.created_at > now - UNCONFIRMED_KEPT,
    )
    found = waiting.order_by(Subscriber.id).limit(AT_ONCE).with_for_update(skip_locked=True)
    return sum(_remind(session, person, domain, now) for person in session.scalars(found).all())


def forget_unconfirmed(session: Session, now: datetime) -> int:
    """Delete subscribers who were asked to confirm and never did; return how many."""
    asked = select(Subscriber.id).where(
        Subscriber.status == Status.PENDING,
        Subscriber.confirmed_at.is_(None),
        Subscriber.created_at < now - UNCONFIRMED_KEPT,
        Subscriber.confirm_mailed_at < now - UNCONFIRMED_KEPT,
    )
    # A sign-up may come in at this moment: the rows are locked before their record is deleted.
    found = list(session.scalars(asked.with_for_update(skip_locked=True)))
    session.execute(delete(AddressChange).where(AddressChange.subscriber_id.in_(found)))
    session.execute(delete(ConsentEvent).where(ConsentEvent.subscriber_id.in_(found)))
    session.execute(delete(Subscriber).where(Subscriber.id.in_(found)))
    return len(found)


def _remind(session: Session, person: Subscriber, domain: str, now: datetime) -> bool:
    """Put one reminder into the outbox, out of the same ration as what the form causes."""
    key = rationing.free_key(session, person.public_id, person.status, now)
    taken = session.scalar(
        update(Subscriber)
        .where(
            Subscriber.id == person.id,
            Subscriber.status == Status.PENDING,
            Subscriber.reminded_at.is_(None),
        )
        .values(reminded_at=now)
        .returning(Subscriber.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None or key is None or suppression.reason_for(session, person.address_hash) in SILENT:
        return False
    return outbox.add(session, Mail.REMINDER, person.id, key, domain, now)
