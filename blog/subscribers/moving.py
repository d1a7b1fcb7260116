"""Moving a subscription to another address: confirmed from the new mailbox, told to the old one."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from blog.delivery import outbox, recipients, suppression
from blog.delivery.addresses import Address
from blog.delivery.suppression import LIFTED_BY_CONFIRMING, SILENT
from blog.subscribers import directory, lifecycle
from blog.subscribers.consent import Event
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import AddressChange, ConsentEvent, Mail, Status, Subscriber
from blog.tokens import Purpose, Tokens

VALID = timedelta(hours=48)
#: Longer than an outbox that waits for its relay gives up: the mail to the old address needs the row.
KEPT = timedelta(days=7)


class Outcome(StrEnum):
    """What a link to confirm a new address is good for."""

    ASK = "ask"
    DONE = "done"
    TAKEN = "taken"
    OVER = "over"


def request(
    session: Session, tokens: Tokens, subscriber: Subscriber, address: Address, act: Act, domain: str
) -> None:
    """Ask the new mailbox; an address that must not be mailed gets nothing, and nobody is told."""
    address_hash = tokens.address_hash(address.key)
    change = AddressChange(
        subscriber_id=subscriber.id,
        nonce=secrets.token_hex(16),
        old_address=subscriber.address,
        email=address.email,
        address=address.wire,
        address_key=address.key,
        address_hash=address_hash,
        created_at=act.now,
    )
    session.execute(delete(AddressChange).where(AddressChange.subscriber_id == subscriber.id))
    session.add(change)
    session.flush()
    if suppression.reason_for(session, address_hash) not in SILENT:
        outbox.add(session, Mail.MOVE, change.id, f"move:{change.nonce}", domain, act.now)


def token_for(tokens: Tokens, change: AddressChange) -> str:
    """Return the token of the link that goes to the new address."""
    return tokens.timed(Purpose.MOVE, [str(change.id), change.nonce])


def look(session: Session, tokens: Tokens, token: str) -> tuple[Outcome, AddressChange | None]:
    """Return what pressing the button would do. Raises `BadToken` or `ExpiredToken`."""
    number, nonce = tokens.read_pair(Purpose.MOVE, token, VALID)
    change = session.scalar(
        select(AddressChange).where(AddressChange.id == int(number), AddressChange.nonce == nonce)
    )
    if change is None:
        return Outcome.OVER, None
    if change.confirmed_at is not None:
        return Outcome.DONE, change
    holder = directory.by_key(session, change.address_key)
    taken = holder is not None and holder.id != change.subscriber_id and holder.status != Status.PENDING
    return (Outcome.TAKEN if taken else Outcome.ASK), change


def confirm(session: Session, tokens: Tokens, token: str, act: Act, domain: str) -> Outcome:
    """Move the subscription, once, and tell the old address. Raises `BadToken` or `ExpiredToken`."""
    outcome, change = look(session, tokens, token)
    if outcome is not Outcome.ASK or change is None:
        return outcome
    claimed = session.scalar(
        update(AddressChange)
        .where(AddressChange.id == change.id, AddressChange.confirmed_at.is_(None))
        .values(confirmed_at=act.now)
        .returning(AddressChange.id)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        return Outcome.DONE
    _make_room(session, change)
    moved = lifecycle.move(
        session,
        Subscriber.id == change.subscriber_id,
        Event.MOVED,
        act,
        values={
            "email": change.email,
            "address": change.address,
            "address_key": change.address_key,
            "address_hash": change.address_hash,
            "account_nonce": None,
        },
    )
    if moved is None:
        return Outcome.OVER
    # The press came from the new mailbox: it works and is willing, whatever it was suppressed for.
    suppression.lift(session, change.address_hash, LIFTED_BY_CONFIRMING)
    recipients.readdress(session, moved.id, change.address, change.address_hash)
    outbox.add(session, Mail.MOVED, change.id, f"moved:{change.nonce}", domain, act.now)
    return Outcome.DONE


def forget_old(session: Session, now: datetime) -> int:
    """Delete finished and abandoned changes, and with them the addresses they hold; return how many."""
    found = session.execute(delete(AddressChange).where(AddressChange.created_at < now - KEPT))
    return int(found.rowcount)  # type: ignore[attr-defined]


def _make_room(session: Session, change: AddressChange) -> None:
    """Delete a request of the same mailbox that was never confirmed: it is confirmed here and now."""
    waiting = select(Subscriber.id).where(
        Subscriber.address_key == change.address_key,
        Subscriber.id != change.subscriber_id,
        Subscriber.status == Status.PENDING,
    )
    found = list(session.scalars(waiting.with_for_update()))
    session.execute(delete(ConsentEvent).where(ConsentEvent.subscriber_id.in_(found)))
    session.execute(delete(AddressChange).where(AddressChange.subscriber_id.in_(found)))
    session.execute(delete(Subscriber).where(Subscriber.id.in_(found)))
