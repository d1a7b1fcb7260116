"""The outbox: single mails to be made and sent, as rows written in the transaction that wants them.

A row says what kind of mail and about whom; the text is made when it is sent. A row is claimed under a lease
and fenced by its owner. `attempts` counts the hand-overs whose outcome nobody knows: it goes up with the
claim and down again when the mail is known not to have left. A mail of this kind is harmless twice, so an
unknown outcome is tried again, with the same Message-ID, up to three times.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Executable, bindparam, case, select, update
from sqlalchemy.orm import Session

from blog.db import DUE, Database
from blog.delivery import pacing
from blog.delivery.email import Email
from blog.delivery.mail import MailError, MailRefused, MailUncertain, MailUnreachable, send
from blog.delivery.models import IS_TO_BE_SENT, OutboxMail, OutboxState
from blog.delivery.pace import Limits
from blog.delivery.states import LEASE, LONG_AGO, Owner
from blog.delivery.upsert import dialect_of, insert_for

MOST_UNKNOWN = 3
#: The wait grows with the age of the mail, so that a relay's long outage costs no attempt.
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 300, 900, 3600))
GIVE_UP_AFTER = timedelta(days=3)
IMPATIENCE = timedelta(minutes=1)
NOT_NEEDED = "not needed"
UNLIMITED = Limits()

Render = Callable[[Session, OutboxMail], Email | None]
Clock = Callable[[], datetime]
Recorder = Callable[[Session, Owner, OutboxMail, str, datetime], bool]

log = structlog.get_logger(__name__)


def add(
    session: Session,
    kind: str,
    subject_id: int,
    dedup_key: str,
    domain: str,
    now: datetime,
    due_at: datetime | None = None,
) -> bool:
    """Put a mail into the outbox; return False if one with this key is, or was, there already.

    It is due at once, or at `due_at`.
    """
    row = {
        "kind": kind,
        "subject_id": subject_id,
        "dedup_key": dedup_key,
        "message_id": f"<{secrets.token_hex(16)}@{domain}>",
        "state": OutboxState.PENDING,
        "next_at": due_at or now,
        "created_at": now,
    }
    if not due_at or due_at <= now:
        session.info[DUE] = True
    return session.connection().scalar(_adding(dialect_of(session)), row) is not None


def times_added(session: Session, dedup_keys: Iterable[str], since: datetime) -> dict[str, datetime]:
    """Return those of these keys under which a mail has been put into the outbox since then, and when."""
    found = session.connection().execute(_ADDED, {"keys": list(dedup_keys), "since": since})
    return dict(found.all())


def claim(session: Session, owner: Owner, now: datetime) -> OutboxMail | None:
    """Take the mail that is due longest under a lease; None if nothing is due."""
    return session.scalar(
        update(OutboxMail)
        .where(OutboxMail.id == _due(now))
        .values(
            state=OutboxState.CLAIMED,
            owner=owner.token,
            slot=owner.slot,
            attempts=OutboxMail.attempts + 1,
            lease_until=now + LEASE,
            next_at=now + LEASE,  # When the lease is over the row is due again, by the same index.
        )
        .returning(OutboxMail)
    )


def record_sent(session: Session, owner: Owner, mail: OutboxMail, reply: str, now: datetime) -> bool:
    """Record that the relay has taken the mail, or that there is no need for it any more."""
    return _record(session, owner, mail, state=OutboxState.SENT, reply=reply, sent_at=now)


def record_retry(session: Session, owner: Owner, mail: OutboxMail, reply: str, now: datetime) -> bool:
    """Record that the mail is known not to have left: it is due again later, until it is too old."""
    age = now - mail.created_at
    if age > GIVE_UP_AFTER:
        return record_failed(session, owner, mail, reply, now)
    later = now + next((step for step in BACK_OFF if step > age), BACK_OFF[-1])
    return _record(
        session,
        owner,
        mail,
        state=OutboxState.PENDING,
        reply=reply,
        next_at=later,
        attempts=mail.attempts - 1,
    )


def record_unknown(session: Session, owner: Owner, mail: OutboxMail, reply: str, now: datetime) -> bool:
    """Record that nobody knows whether the mail has left: it is tried again, but not for ever."""
    if mail.attempts >= MOST_UNKNOWN:
        return record_failed(session, owner, mail, reply, now)
    later = now + BACK_OFF[mail.attempts - 1]
    return _record(session, owner, mail, state=OutboxState.PENDING, reply=reply, next_at=later)


def record_failed(session: Session, owner: Owner, mail: OutboxMail, reply: str, now: datetime) -> bool:
    """Record that the mail is not going to be sent."""
    return _record(session, owner, mail, state=OutboxState.FAILED, reply=reply, next_at=now)


def recover(session: Session, owner: Owner, now: datetime) -> int:
    """Make due at once what an earlier holder of our slot left behind; return how many rows that were.

    We hold the slot's lock now, so that one is dead; what we are doing ourselves is left alone. What it was
    doing is an unknown outcome.
    """
    tired = OutboxMail.attempts >= MOST_UNKNOWN
    found = session.execute(
        update(OutboxMail)
        .where(
            *_WAITS,
            OutboxMail.state == OutboxState.CLAIMED,
            OutboxMail.slot == owner.slot,
            OutboxMail.owner != owner.token,
        )
        .values(
            state=case((tired, OutboxState.FAILED.value), else_=OutboxState.PENDING.value),
            next_at=now,
            **_RELEASED,
        )
    )
    return int(found.rowcount)  # type: ignore[attr-defined]


def try_again_now(session: Session, now: datetime) -> None:
    """Make due at once what was to be tried again within a minute: somebody has started a worker to see."""
    soon = OutboxMail.next_at <= now + IMPATIENCE
    session.execute(
        update(OutboxMail).where(*_WAITS, OutboxMail.state == OutboxState.PENDING, soon).values(next_at=now)
    )


def run_once(
    database: Database, render: Render, owner: Owner, clock: Clock, limits: Limits = UNLIMITED
) -> bool:
    """Send the mail that is due longest; return False if nothing was due. Needs an application context.

    Claimed, rendered, sent and recorded apart: no transaction is open while the relay is spoken to. It waits
    for no pace, but counts in it.
    """
    with database.transaction() as session:
        mail = claim(session, owner, clock())
    if mail is None:
        return False
    outcome = _attempt(database, render, mail)
    with database.transaction() as session:
        outcome.record(session, owner, mail, outcome.reply, clock())
        if outcome.offered_to:
            pacing.count(session, limits, outcome.offered_to, clock())
    return True


@dataclass(frozen=True)
class _Outcome:
    """How to record what became of a mail, and the address that the relay was told, if any."""

    record: Recorder
    reply: str
    offered_to: str = ""


def _attempt(database: Database, render: Render, mail: OutboxMail) -> _Outcome:
    """Make the mail and hand it over."""
    email = None
    if mail.attempts > MOST_UNKNOWN:
        return _Outcome(record_failed, "the outcome was unknown too often")
    try:
        with database.reading() as session:
            email = render(session, mail)
        if email is None:
            return _Outcome(record_sent, NOT_NEEDED)
        send(email)
    except MailError as error:
        # A relay's words may quote what a stranger typed: they are kept with the row, not logged.
        log.warning("outbox.not_sent", mail=mail.id, kind=mail.kind, why=type(error).__name__)
        told = email.to if email and not isinstance(error, MailUnreachable) else ""
        return _Outcome(_after(error), str(error), told)
    except Exception as error:  # noqa: BLE001 - one mail that cannot be made must not stop the others
        log.error("outbox.not_made", mail=mail.id, kind=mail.kind, error=type(error).__name__)
        return _Outcome(record_retry, f"could not be made: {type(error).__name__}")
    log.info("outbox.sent", mail=mail.id, kind=mail.kind)
    return _Outcome(record_sent, "accepted", email.to)


def _after(error: MailError) -> Recorder:
    if isinstance(error, MailUnreachable):
        return _record_unreachable
    if isinstance(error, MailUncertain):
        return record_unknown
    # What is refused because of us is tried again for as long as any: somebody may mend our standing.
    final = isinstance(error, MailRefused) and error.permanent and not error.our_fault
    return record_failed if final else record_retry


def _record_unreachable(session: Session, owner: Owner, mail: OutboxMail, reply: str, now: datetime) -> bool:
    # The relay is the trouble, not this mail: the others wait too, instead of trying one after the other.
    session.execute(
        update(OutboxMail)
        .where(*_WAITS, OutboxMail.state == OutboxState.PENDING, OutboxMail.next_at < now + BACK_OFF[0])
        .values(next_at=now + BACK_OFF[0])
    )
    return record_retry(session, owner, mail, reply, now)


def _due(now: datetime) -> Any:
    return (
        select(OutboxMail.id)
        .where(IS_TO_BE_SENT, OutboxMail.next_at <= now)
        .order_by(OutboxMail.next_at, OutboxMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )


#: What is asked besides has SQLite choose the small index of what is to be sent.
_WAITS = IS_TO_BE_SENT, OutboxMail.next_at > LONG_AGO
_RELEASED: dict[str, Any] = {"owner": None, "slot": None, "lease_until": None}


def _record(session: Session, owner: Owner, mail: OutboxMail, **values: Any) -> bool:
    """Write what became of a claimed mail; False if our lease was over and the row has changed hands."""
    written = session.execute(
        update(OutboxMail)
        .where(
            OutboxMail.id == mail.id,
            OutboxMail.state == OutboxState.CLAIMED,
            OutboxMail.owner == owner.token,
        )
        .values(**{**_RELEASED, **values})
    )
    return bool(written.rowcount == 1)  # type: ignore[attr-defined]


@cache
def _adding(dialect: str) -> Executable:
    insert = insert_for(dialect, OutboxMail)
    return insert.on_conflict_do_nothing(index_elements=[OutboxMail.dedup_key]).returning(OutboxMail.id)


_ADDED = select(OutboxMail.dedup_key, OutboxMail.created_at).where(
    OutboxMail.dedup_key.in_(bindparam("keys", expanding=True)),
    OutboxMail.created_at > bindparam("since", type_=OutboxMail.created_at.type),
)
