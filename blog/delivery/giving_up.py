"""Tells the rooms above when a mailbox was given up: what follows for a person is their matter."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

GivenUp = Callable[[Session, int, str, datetime], None]
_HEARERS: list[GivenUp] = []


def heard_by(hearer: GivenUp) -> None:
    """Have a room told, in the same transaction: which delivery, the relay's last words, and when."""
    if hearer not in _HEARERS:
        _HEARERS.append(hearer)


def tell(session: Session, delivery_id: int, reply: str, now: datetime) -> None:
    """Tell everybody who wants to hear of it."""
    for hearer in _HEARERS:
        hearer(session, delivery_id, reply, now)
