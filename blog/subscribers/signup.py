"""Signing up: a pending row, a consent event and a mail in the outbox, in one transaction.

Whoever typed the address learns nothing about it: every address gets the same answer, and the work behind it
is nearly the same. The person who is mailed is protected by limits per address, not per visitor.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from blog.delivery import outbox, suppression
from blog.delivery.addresses import Address
from blog.delivery.suppression import SILENT, Reason
from blog.delivery.upsert import upsert
from blog.subscribers import consent, directory
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import Status, Subscriber
from blog.tokens import Tokens

COOLDOWN = timedelta(minutes=10)
DAY = timedelta(days=1)
MOST_A_DAY = 3


class Mail(StrEnum):
    """The kinds of mail that signing up can cause."""

    CONFIRM = "confirm"
    ALREADY_SUBSCRIBED = "already_subscribed"


def sign_up(
    session: Session,
    address: Address,
    choices: Choices,
    origin: Origin,
    tokens: Tokens,
    domain: str,
    now: datetime,
) -> None:
    """Take a request to be mailed at `address`; what follows goes by mail, from `domain`, or not at all.

    An address that complained or was erased causes nothing. One that bounced may prove that it works again.
    """
    address_hash = tokens.address_hash(address.key)
    reason = suppression.reason_for(session, address_hash)
    # The silent ones cost the same work, which is then taken back: the time of an answer tells nothing.
    with session.begin_nested() as work:
        row = new_row(address, address_hash, choices, now)
        _request(session, row, reason, choices, origin, domain, now)
        if reason in SILENT:
            work.rollback()
    if reason in SILENT:
        suppression.touch(session, address_hash)


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
    origin: Origin,
    domain: str,
    now: datetime,
) -> None:
    """Find or make the row; if this address may be mailed now, put the request on record and a mail out."""
    insert = upsert(session, Subscriber).values(row)
    session.execute(insert.on_conflict_do_nothing(index_elements=[Subscriber.address_key]))
    subscriber = directory.by_key(session, str(row["address_key"]))
    if subscriber is None:
        return  # Removed by another transaction in this very moment: the next request starts anew.
    kind = _kind(subscriber, reason)
    key = _free_key(session, subscriber, now)
    granted = key is not None and _granted(session, subscriber, kind, now)
    _keep_choices(session, subscriber, choices)
    if key is None or not granted:
        return
    details = {"cadence": choices.cadence.value, "topics": list(choices.topics)}
    consent.record(session, subscriber.id, Event.REQUESTED, Method.FORM, origin, now, details)
    outbox.add(session, kind, subscriber.id, key, domain, now)


def _kind(subscriber: Subscriber, reason: Reason | None) -> Mail:
    known = subscriber.status == Status.ACTIVE and reason is None
    return Mail.ALREADY_SUBSCRIBED if known else Mail.CONFIRM


def _keep_choices(session: Session, subscriber: Subscriber, choices: Choices) -> None:
    """Let the last request before the confirmation win; what is confirmed goes into the consent record."""
    session.execute(
        update(Subscriber)
        .where(Subscriber.id == subscriber.id, Subscriber.status != Status.ACTIVE)
        .values(cadence=choices.cadence, topics=choices.stored_topics)
    )


def _free_key(session: Session, subscriber: Subscriber, now: datetime) -> str | None:
    """Return the outbox key of this address's next mail; None if it has had enough in the last 24 hours."""
    yesterday, today = (_keys(subscriber, day) for day in (now - DAY, now))
    used = outbox.added_since(session, [*yesterday, *today], now - DAY)
    if len(used) >= MOST_A_DAY:
        return None
    return next((key for key in today if key not in used), None)


def _keys(subscriber: Subscriber, day: datetime) -> list[str]:
    return [f"signup:{subscriber.id}:{day:%Y-%m-%d}:{number}" for number in range(MOST_A_DAY)]


def _granted(session: Session, subscriber: Subscriber, kind: Mail, now: datetime) -> bool:
    """Take the right to mail this address now: one request in ten minutes gets it.

    The condition is inside the UPDATE, so that two requests at once cannot both pass. A new nonce makes
    earlier confirmation links worthless.
    """
    values: dict[str, object] = {"confirm_mailed_at": now}
    if kind is Mail.CONFIRM:
        values["nonce"] = secrets.token_hex(16)
    if kind is Mail.CONFIRM and subscriber.status != Status.UNSUBSCRIBED:
        values["status"] = Status.PENDING  # An active one whose mailbox bounced has to confirm anew.
    granted = session.execute(
        update(Subscriber)
        .where(
            Subscriber.id == subscriber.id,
            Subscriber.status == subscriber.status,
            or_(
                Subscriber.confirm_mailed_at.is_(None),
                Subscriber.confirm_mailed_at <= now - COOLDOWN,
            ),
        )
        .values(**values)
    )
    return bool(granted.rowcount)  # type: ignore[attr-defined]
