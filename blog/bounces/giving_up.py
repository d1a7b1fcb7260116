"""A mailbox that refused for days at the relay's own door counts like one whose mail came back for that."""

from datetime import datetime

from sqlalchemy.orm import Session

from blog.bounces import codes, settling, subjects
from blog.bounces.reports import Door, Kind
from blog.delivery.models import Delivery


def count(session: Session, delivery_id: int, reply: str, now: datetime) -> None:
    """Count a delivery that was given up, by the last words of the relay; what is about us counts nothing."""
    delivery = session.get(Delivery, delivery_id, populate_existing=True)
    code = codes.code_in(reply)
    kind = codes.kind_of(code, reply)
    if delivery and delivery.address and kind in (Kind.SOFT, Kind.FULL, Kind.UNSURE):
        settling.count(session, subjects.of_delivery(delivery), kind, code, Door.RELAY, now)
