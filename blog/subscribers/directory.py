"""Finding a subscriber."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.subscribers.models import Subscriber


def by_public_id(session: Session, public_id: str) -> Subscriber | None:
    """Return the subscriber that a link was made for."""
    return session.scalar(select(Subscriber).where(Subscriber.public_id == public_id))


def by_key(session: Session, address_key: str) -> Subscriber | None:
    """Return the subscriber with an address, however it is spelled."""
    return session.scalar(select(Subscriber).where(Subscriber.address_key == address_key))


def by_hash(session: Session, address_hash: str) -> Subscriber | None:
    """Return the newest subscriber under an address's keyed hash: all that is left of an erased one."""
    found = select(Subscriber).where(Subscriber.address_hash == address_hash)
    return session.scalar(found.order_by(Subscriber.id.desc()).limit(1))
