"""Signing up: a pending row, a consent event and a mail in the outbox, in one transaction.

Whoever typed the address learns nothing about it: every address gets the same answer, and the work behind it
is nearly the same. The person who is mailed is protected by limits per address, not per visitor.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, update
from sqlalchemy.orm import Session

from blog.delivery import outbox, suppression
from blog.delivery.addresses import Address
from blog.delivery.suppression import SILENT, Reason
from blog.delivery.upsert import upsert
from blog.subscribers import consent, directory, lifecycle, rationing
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import Mail, Status, Subscriber
from blog.tokens import Tokens


@dataclass(frozen=True)
class Source:
    """How a request came in, the domain that our mails come from, and when they leave (default: at once)."""

    method: Method
    origin: Origin
    domain: str
    mailed_at: datetime | None = None


def sign_up(
    session: Session, address: Address, choices: Choices, source: Source, tokens: Tokens, now: datetime
) -> None:
    """Take a request to be mailed at `address`; what follows goes by mail, or not at all.

    An address that complained or was erased causes nothing. One that bounced may prove that it works again.
    """
    address_hash = tokens.address_hash(address.key)
    reason = suppression.reason_for(session, address_hash)
    # All do the same statements, and some are then taken back: the time of an answer tells nothing.
    with session.begin_nested() as work:
        row = new_row(address, address_hash, choices, now)
        if not _request(session, row, reason, choices, source, now):
            work.rollback()
    if reason in SILENT:
        suppression.touch(session, address_hash)
    else:
        _keep_choices(session, address, choices)


def new_row(address: Address, address_hash: str, choices: Choices, now: datetime) -> dict[str, object]:
    """Return the columns of a new, pending subscriber."""
    return {
        "public_id": secrets.token_hex(16),
        "email": address.email,
        "address": address.wire,
        "address_key": address.key,
        "address_hash": address_hash,
        "status": Status.PENDING,
        "cadence": choices.cadence,
        "topics": choices.stored_topics,
        "timezone": choices.timezone,
        "language": choices.language,
        "nonce": secrets.token_hex(16),
        "created_at": now,
    }


def _request(
    session: Session,
    row: dict[str, object],
    reason: Reason | None,
    choices: Choices,
    source: Source,
    now: datetime,
) -> bool:
    """Find or make the row, put the request on record and a mail out; return whether that may stand.

    Every step is done for everybody: what may not stand is taken back by the caller.
    """
    insert = upsert(session, Subscriber).values(row)
    session.execute(insert.on_conflict_do_nothing(index_elements=[Subscriber.address_key]))
    subscriber = directory.by_key(session, str(row["address_key"]))
    if subscriber is None:
        return False  # Removed by another transaction in this very moment: the next request starts anew.
    kind = _kind(subscriber, reason)
    key = rationing.free_key(session, subscriber, now)
    granted = lifecycle.request(session, _due(subscriber, now), reason, now, _marks(kind, now))
    details = {"cadence": choices.cadence.value, "topics": list(choices.topics)}
    consent.record(session, subscriber.id, Event.REQUESTED, source.method, source.origin, now, details)
    outbox.add(
        session, kind, subscriber.id, key or secrets.token_hex(16), source.domain, now, source.mailed_at
    )
    return granted and key is not None


def _kind(subscriber: Subscriber, reason: Reason | None) -> Mail:
    known = subscriber.status == Status.ACTIVE and reason is None
    return Mail.ALREADY_SUBSCRIBED if known else Mail.CONFIRM


def _keep_choices(session: Session, address: Address, choices: Choices) -> None:
    """Let the last request before the confirmation win; what is confirmed goes into the consent record."""
    session.execute(
        update(Subscriber)
        .where(Subscriber.address_key == address.key, Subscriber.status != Status.ACTIVE)
        .values(cadence=choices.cadence, topics=choices.stored_topics)
    )


def _due(subscriber: Subscriber, now: datetime) -> ColumnElement[bool]:
    """Return the condition that this address may be mailed now: one request in ten minutes gets that right.

    It goes into the UPDATE itself, so that two requests at once cannot both pass.
    """
    mailed_at = Subscriber.confirm_mailed_at
    cool = or_(mailed_at.is_(None), mailed_at <= now - rationing.COOLDOWN)
    return and_(Subscriber.id == subscriber.id, Subscriber.status == subscriber.status, cool)


def _marks(kind: Mail, now: datetime) -> dict[str, Any]:
    """Return the columns of a request that is granted; a new nonce makes earlier links worthless."""
    nonce = {"nonce": secrets.token_hex(16)} if kind is Mail.CONFIRM else {}
    return {"confirm_mailed_at": now, **nonce}
