"""What is due and has not been sent yet: how long the oldest of it waits tells whether anybody works."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from blog.delivery import ledger
from blog.delivery.models import IS_TO_BE_SENT, IS_WAITING, Delivery, Mailing, OutboxMail


def oldest_due(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest single mail or delivery waits; None while nothing is late."""
    single = session.scalar(
        select(OutboxMail.next_at)
        .where(IS_TO_BE_SENT, OutboxMail.next_at <= now)
        .order_by(OutboxMail.next_at)
        .limit(1)
    )
    oldest = [single, *(_of_mailing(session, mailing, now) for mailing in ledger.sending(session))]
    return min((moment for moment in oldest if moment is not None), default=None)


def _of_mailing(session: Session, mailing_id: int, now: datetime) -> datetime | None:
    return session.scalar(
        select(Delivery.next_at)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(Delivery.mailing_id == mailing_id, IS_WAITING, Delivery.next_at <= now)
        .where(or_(Mailing.first_to.is_(None), Delivery.id <= Mailing.first_to))
        .order_by(Delivery.next_at)
        .limit(1)
    )
