"""What is known of one person, and lists of them, for the operator."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from blog.delivery import suppression
from blog.delivery.addresses import BadAddress, parse
from blog.delivery.models import Suppression
from blog.delivery.suppression import Reason
from blog.subscribers import audience, directory
from blog.subscribers.choices import chosen_topics
from blog.subscribers.models import ConsentEvent, Subscriber
from blog.tokens import Tokens

#: Reasons that say more than the row's own status.
TELLING = (Reason.BOUNCED, Reason.COMPLAINED, Reason.ERASED)


def report(session: Session, tokens: Tokens, email: str) -> dict[str, Any] | None:
    """Return everything known of an address: status, choices and consent record; None if it is unknown.

    Of an erased address only the keyed hash is left, so its report says that and nothing else.
    """
    try:
        address = parse(email)
    except BadAddress:
        return None
    subscriber = directory.by_key(session, address.key)
    if subscriber is not None:
        return of(session, subscriber)
    address_hash = tokens.address_hash(address.key)
    reason = suppression.reason_for(session, address_hash)
    if reason is None:
        return None
    left = directory.by_hash(session, address_hash)
    return {
        "email": address.email,
        "status": reason.value,
        "cadence": None,
        "topics": [],
        "paused_until": None,
        "suppressed": _suppressed(session, address_hash),
        "consent": _events(session, left) if left else [],
    }


def listing(session: Session, status: str | None, limit: int, after_id: int = 0) -> list[dict[str, Any]]:
    """Return up to `limit` subscribers, by their number, after the one numbered `after_id`."""
    reason = Suppression.reason
    found = (
        select(Subscriber, reason)
        .outerjoin(Suppression, Suppression.address_hash == Subscriber.address_hash)
        .where(Subscriber.id > after_id)
        .order_by(Subscriber.id)
        .limit(limit)
    )
    if status is not None:
        found = found.where(_has_status(status))
    return [_listed(subscriber, why) for subscriber, why in session.execute(found)]


def of(session: Session, subscriber: Subscriber) -> dict[str, Any]:
    """Return what is known of a subscriber: status, choices and consent record."""
    return {
        "email": subscriber.email,
        "status": audience.public_status(session, subscriber).value,
        "cadence": subscriber.cadence,
        "topics": chosen_topics(subscriber.topics),
        "language": subscriber.language,
        "paused_until": iso(subscriber.paused_until),
        "suppressed": _suppressed(session, subscriber.address_hash),
        "consent": _events(session, subscriber),
    }


def iso(moment: datetime | None) -> str | None:
    """Return a time as reports write it."""
    return moment.isoformat() if moment else None


def event(recorded: ConsentEvent) -> dict[str, Any]:
    """Return one event of the record of consent as reports write it."""
    return {
        "event": recorded.event,
        "method": recorded.method,
        "at": recorded.at.isoformat(),
        "network": recorded.network,
        "wording": recorded.wording,
        "details": recorded.details,
    }


def _suppressed(session: Session, address_hash: str) -> dict[str, str] | None:
    """Return why and since when an address is not to be mailed; None if it may be."""
    found = session.get(Suppression, address_hash)
    return {"reason": found.reason, "since": found.created_at.isoformat()} if found else None


def _events(session: Session, subscriber: Subscriber) -> list[dict[str, Any]]:
    events = select(ConsentEvent).where(ConsentEvent.subscriber_id == subscriber.id).order_by(ConsentEvent.id)
    return [event(each) for each in session.scalars(events)]


def _has_status(status: str) -> ColumnElement[bool]:
    reason = Suppression.reason
    if status in TELLING:
        return reason == status
    return and_(Subscriber.status == status, or_(reason.is_(None), reason.not_in(TELLING)))


def _listed(subscriber: Subscriber, reason: str | None) -> dict[str, Any]:
    return {
        "id": subscriber.id,
        "email": subscriber.email,
        "status": audience.status_with(subscriber.status, reason).value,
        "cadence": subscriber.cadence,
        "topics": chosen_topics(subscriber.topics),
        "created_at": subscriber.created_at.isoformat(),
        "confirmed_at": iso(subscriber.confirmed_at),
    }
