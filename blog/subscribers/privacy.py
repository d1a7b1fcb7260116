"""Taking one's data away, and being forgotten.

After erasure nothing names the person: no address, no choices, no record of networks. Only the keyed hash
stays, so that no import and no stranger brings the address back.
"""

import secrets
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from blog.delivery import forgetting, recipients, suppression
from blog.delivery.addresses import Address
from blog.delivery.suppression import Reason
from blog.subscribers import directory, lifecycle, report
from blog.subscribers.consent import Event, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import AddressChange, ConsentEvent, Mail, Subscriber
from blog.tokens import Tokens

ABOUT_PERSON = [Mail.CONFIRM, Mail.REMINDER, Mail.ALREADY_SUBSCRIBED, Mail.WELCOME, Mail.LEFT, Mail.ACCOUNT]
ABOUT_CHANGE = [Mail.MOVE, Mail.MOVED]


def export(session: Session, subscriber: Subscriber) -> dict[str, Any]:
    """Return everything that is stored about a person, for that person."""
    return {
        **report.of(session, subscriber),
        "timezone": subscriber.timezone,
        "created_at": subscriber.created_at.isoformat(),
        "confirmed_at": report.iso(subscriber.confirmed_at),
        "left_at": report.iso(subscriber.left_at),
        "deliveries": forgetting.history(session, subscriber.id),
    }


def erase_address(session: Session, tokens: Tokens, address: Address, act: Act) -> bool:
    """Erase whoever has this address and keep it from ever being mailed; False if nobody was known by it."""
    subscriber = directory.by_key(session, address.key)
    if subscriber is not None:
        erase(session, subscriber, act)
        return True
    suppression.suppress(session, tokens.address_hash(address.key), Reason.ERASED, act.now)
    return False


def erase(session: Session, subscriber: Subscriber, act: Act) -> None:
    """Forget a person. What was sent still adds up: a row without address or choices stays for that."""
    number = subscriber.id
    # Whoever moved a moment ago may have mail in hand that is still addressed to the old mailbox.
    in_hand = recipients.hashes_in_hand(session, number) - {subscriber.address_hash}
    suppression.suppress_all(session, sorted(in_hand), Reason.UNSUBSCRIBED, act.now)
    suppression.suppress(session, subscriber.address_hash, Reason.ERASED, act.now)
    # Before the deletions, so that of two erasures at once the second finds nothing to record.
    from_nowhere = Act(act.method, Origin(""), act.now)
    wiped = {**_nobody(), "left_at": act.now}
    erased = lifecycle.move(session, Subscriber.id == number, Event.ERASED, from_nowhere, values=wiped)
    if erased is None:
        return
    earlier = select(ConsentEvent.id).where(
        ConsentEvent.subscriber_id == number, ConsentEvent.event != Event.ERASED
    )
    session.execute(delete(ConsentEvent).where(ConsentEvent.id.in_(earlier)))
    changes = list(session.scalars(select(AddressChange.id).where(AddressChange.subscriber_id == number)))
    session.execute(delete(AddressChange).where(AddressChange.subscriber_id == number))
    forgetting.forget(session, number)
    forgetting.forget_replies(session, [*ABOUT_PERSON], number)
    for change in changes:
        forgetting.forget_replies(session, [*ABOUT_CHANGE], change)


def _nobody() -> dict[str, Any]:
    return {
        "email": "",
        "address": "",
        "address_key": f"erased:{secrets.token_hex(16)}",
        "topics": "",
        "timezone": "UTC",
        "language": "en",
        "nonce": secrets.token_hex(16),
        "account_nonce": None,
        "confirm_mailed_at": None,
    }
