"""Signing up: a pending row, a consent event and a mail in the outbox, in one transaction.

Whoever typed the address learns nothing about it: every address gets the same answer, and the work behind it
is nearly the same. The person who is mailed is protected by limits per address, not per visitor.

The statements are built once: building them for each request took three times as long as the database does,
and on SQLite nobody else can write meanwhile.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, Table, and_, bindparam, func, or_, update
from sqlalchemy.orm import Session

from blog.delivery import outbox, suppression
from blog.delivery.addresses import Address
from blog.delivery.suppression import SILENT, Reason
from blog.delivery.upsert import dialect_of, insert_for
from blog.subscribers import consent, lifecycle, rationing
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
    connection = session.connection()
    address_hash = tokens.address_hash(address.key)
    reason = suppression.reason_for(session, address_hash)
    # All do the same statements, and some are then taken back: the time of an answer tells nothing.
    with connection.begin_nested() as work:
        row = new_row(address, address_hash, choices, now)
        if not _request(session, row, reason, choices, source, now):
            work.rollback()
    if reason in SILENT:
        suppression.touch(session, address_hash)
    else:
        # The last request before the confirmation wins; what is confirmed goes into the consent record.
        kept = {"its_key": address.key, "often": choices.cadence, "about": choices.stored_topics}
        connection.execute(_KEEP_CHOICES, kept)


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
    connection = session.connection()
    number, public_id, status = connection.execute(_entering(dialect_of(session)), row).one()
    kind = Mail.ALREADY_SUBSCRIBED if status == Status.ACTIVE and reason is None else Mail.CONFIRM
    key = rationing.free_key(session, public_id, status, now)
    asked = {
        "its_id": number,
        "seen": status,
        "now": now,
        "cool": now - rationing.COOLDOWN,
        # A new nonce makes earlier links worthless.
        "fresh": secrets.token_hex(16) if kind is Mail.CONFIRM else None,
    }
    granted = connection.execute(_granting(reason), asked).first() is not None
    details = {"cadence": choices.cadence.value, "topics": list(choices.topics)}
    consent.record(session, number, Event.REQUESTED, source.method, source.origin, now, details)
    outbox.add(session, kind, number, key or secrets.token_hex(16), source.domain, now, source.mailed_at)
    return granted and key is not None


_TABLE: Table = Subscriber.__table__  # type: ignore[assignment]
_MAILED = _TABLE.c.confirm_mailed_at
_KEEP_CHOICES = (
    update(_TABLE)
    .where(_TABLE.c.address_key == bindparam("its_key"), _TABLE.c.status != Status.ACTIVE.value)
    .values(cadence=bindparam("often"), topics=bindparam("about"))
)
#: This address may be mailed now. It stands in the UPDATE itself: of two requests at once only one gets it.
_DUE = and_(
    _TABLE.c.id == bindparam("its_id"),
    _TABLE.c.status == bindparam("seen"),
    or_(_MAILED.is_(None), bindparam("cool", type_=_MAILED.type) >= _MAILED),
)


@cache
def _entering(dialect: str) -> Executable:
    insert = insert_for(dialect, Subscriber)
    # What is there already is left as it is: the update is for its row to be returned, and held.
    same = insert.on_conflict_do_update(
        index_elements=[Subscriber.address_key], set_={"address_key": insert.excluded.address_key}
    )
    return same.returning(_TABLE.c.id, _TABLE.c.public_id, _TABLE.c.status)


@cache
def _granting(reason: Reason | None) -> Executable:
    marks = {
        "confirm_mailed_at": bindparam("now", type_=_MAILED.type),
        "nonce": func.coalesce(bindparam("fresh"), _TABLE.c.nonce),
    }
    return lifecycle.requesting(_DUE, reason, marks)
