"""Who is mailed: active subscribers whose address is on no list of those that must not be."""

from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from blog.delivery import suppression
from blog.delivery.suppression import Reason, is_suppressed
from blog.subscribers.models import Cadence, Status, Subscriber


def audience(cadence: Cadence, now: datetime) -> Select[int, str, str, str, str, datetime | None, str]:
    """Return the select of everybody who hears at this cadence and has not paused beyond `now`.

    Its columns: id, public_id, address, address_hash, topics, confirmed_at, language. The digests room puts
    it inside its own statements.
    """
    return select(
        Subscriber.id,
        Subscriber.public_id,
        Subscriber.address,
        Subscriber.address_hash,
        Subscriber.topics,
        Subscriber.confirmed_at,
        Subscriber.language,
    ).where(
        Subscriber.status == Status.ACTIVE,
        Subscriber.cadence == cadence,
        or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= now),
        ~is_suppressed(Subscriber.address_hash),
    )


def public_status(session: Session, subscriber: Subscriber) -> Status:
    """Return where a subscription stands; what the suppression list says of the address comes first."""
    return status_with(subscriber.status, suppression.reason_for(session, subscriber.address_hash))


def status_with(status: str, reason: str | None) -> Status:
    """Return the status that a row's own status and the suppression of its address make together."""
    if reason is None or reason == Reason.UNSUBSCRIBED:
        return Status(status)
    return Status(reason)
