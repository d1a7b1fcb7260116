"""What is still to be sent to one recipient, and to which address.

A delivery holds the address it was planned for. Whoever moves is followed by what nobody has begun to send;
what a sender has in hand, for seconds, goes where it was addressed to.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from blog.delivery.models import Delivery
from blog.delivery.states import DEFERRED, OPEN, PLANNED


def readdress(session: Session, recipient_id: int, address: str, address_hash: str) -> None:
    """Send what is planned for a recipient to another address, under the same Message-ID."""
    session.execute(
        update(Delivery)
        .where(Delivery.recipient_id == recipient_id, Delivery.state.in_([PLANNED, DEFERRED]))
        .values(address=address, address_hash=address_hash)
        .execution_options(synchronize_session=False)
    )


def hashes_in_hand(session: Session, recipient_id: int) -> set[str]:
    """Return the hashes that a recipient's open deliveries go by: whoever has just moved may have two."""
    found = select(Delivery.address_hash).where(
        Delivery.recipient_id == recipient_id, Delivery.state.in_(OPEN)
    )
    return set(session.scalars(found))
