"""Forgetting: an address whose owner never pressed the button is deleted, with everything about it."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from blog.subscribers.models import ConsentEvent, Status, Subscriber

#: Longer than a confirmation link works, and than an outbox that waits for its relay gives up.
UNCONFIRMED_KEPT = timedelta(days=7)


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
    session.execute(delete(ConsentEvent).where(ConsentEvent.subscriber_id.in_(found)))
    session.execute(delete(Subscriber).where(Subscriber.id.in_(found)))
    return len(found)
