"""The delivery ledger: who is sent what, once, and what became of it.

Rows are the truth. A delivery is *claimed* under a lease, its hand-over is recorded before the first byte of
the message leaves (`handing_over`), and its result before the next message on the same connection leaves.
So a crash leaves at most one row per open connection whose fate nobody can know (RFC 1047): it becomes
*uncertain*, is listed by name and settled by policy. Opt-out and suppression are looked at inside the claim
and again inside the hand-over.

Functions take the session first and never commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    Table,
    and_,
    bindparam,
    case,
    exists,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from blog.delivery import control, events, mime, replacing
from blog.delivery.events import Event
from blog.delivery.models import (
    IS_IN_HAND,
    IS_WAITING,
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
    Variant,
)
from blog.delivery.states import (
    BEGINNING,
    CLAIMED,
    HANDING_OVER,
    LEASE,
    LONG_AGO,
    PLANNED,
    Claim,
    Owner,
    Place,
    Policy,
)
from blog.delivery.suppression import unless_suppressed


def open_mailing(
    session: Session,
    kind: str,
    envelope_from: str,
    now: datetime,
    state: MailingState = MailingState.SENDING,
) -> int:
    """Create a mailing; return its number."""
    mailing = Mailing(kind=kind, state=state, envelope_from=envelope_from, created_at=now)
    session.add(mailing)
    session.flush()
    return mailing.id


def add_variant(session: Session, mailing_id: int, key: str, template: bytes) -> int:
    """Freeze one variant's bytes; return its number."""
    variant = Variant(mailing_id=mailing_id, key=key, template=template)
    session.add(variant)
    session.flush()
    return variant.id


def date_anew(session: Session, mailing_id: int, now: datetime) -> None:
    """Have what a mailing sends say that it was written now; nothing of it may have left yet."""
    numbers = session.scalars(select(Variant.id).where(Variant.mailing_id == mailing_id))
    for number in numbers.all():  # one at a time: there may be many, of a hundred kilobytes each
        mine = update(Variant).where(Variant.id == number)
        session.execute(mine.values(template=mime.dated(template(session, number), now)))


def plan(
    session: Session,
    mailing_id: int,
    recipients: Select[int, str, str, str, int, datetime],
    domain: str,
    now: datetime,
) -> int:
    """Insert a planned delivery for each recipient; return how many.

    The columns are id, public id, address, address hash, variant and when it is due. One statement, in the
    order of the ids: "the first hundred" are the same people whatever plan a database chose. The Message-ID
    is fixed here, so that every attempt carries the same one. A recipient who already has a delivery of
    this mailing violates the unique index: planning twice is an error, no repeat.
    """
    source = recipients.subquery()
    recipient_id, public_id, address, address_hash, variant_id, due_at = list(source.c)[:6]
    message_id = literal(f"<{mailing_id}.").concat(public_id).concat(literal(f"@{domain}>"))
    rows = select(
        literal(mailing_id), variant_id, recipient_id, public_id, address, address_hash, message_id,
        literal(PLANNED.value), due_at, literal(now, Delivery.next_at.type),
    ).order_by(recipient_id)  # fmt: skip
    columns = [
        "mailing_id", "variant_id", "recipient_id", "public_id", "address", "address_hash",
        "message_id", "state", "next_at", "updated_at",
    ]  # fmt: skip
    statement = insert(Delivery).from_select(columns, rows).execution_options(preserve_rowcount=True)
    inserted = session.execute(statement)
    return int(inserted.rowcount)  # type: ignore[attr-defined]


def sending(session: Session) -> list[int]:
    """Return the mailings that are being sent, oldest first."""
    return list(
        session.scalars(select(Mailing.id).where(Mailing.state == MailingState.SENDING).order_by(Mailing.id))
    )


def claim(
    session: Session, mailing_id: int, owner: Owner, limit: int, now: datetime, after: Place = BEGINNING
) -> tuple[list[Claim], int]:
    """Take up to `limit` due deliveries under a lease; a suppressed address is skipped instead.

    Returns what was taken, and how many were skipped. Whoever has claimed before says `after` what to look:
    while somebody reads for long (a backup, say), PostgreSQL keeps what was claimed in the index of what is
    due, and each claim from the beginning would pass all of it.
    """
    values = {"its_mailing": mailing_id, "its_owner": owner.token, "its_slot": owner.slot, "most": limit}
    values |= {"now": now, "lease": now + LEASE, "after_time": after[0], "after_id": after[1]}
    rows = session.connection().execute(_CLAIM, values).all()
    claims = [Claim(*row[:-1]) for row in sorted(tuple(row) for row in rows) if row[-1] == CLAIMED]
    return claims, len(rows) - len(claims)


def release(session: Session, owner: Owner, delivery_ids: Sequence[int], now: datetime) -> None:
    """Give claimed rows back, due at once and without counting an attempt."""
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), Delivery.owner == owner.token, Delivery.state == CLAIMED)
        .values(state=PLANNED, lease_until=None, updated_at=now)
    )


def renew(session: Session, owner: Owner, now: datetime) -> None:
    """Extend the lease of everything this worker holds."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.slot == owner.slot,
            Delivery.owner == owner.token,
            IS_IN_HAND,
        )
        .values(lease_until=now + LEASE)
    )


def recover(session: Session, owner: Owner, policy: Policy, now: datetime) -> tuple[int, int]:
    """Settle what dead workers left behind: return the numbers (given back, uncertain).

    Dead are earlier holders of our own slot (we hold its lock now) and anyone whose lease is over. A lease
    further away than a lease can be comes from a clock that went back, and counts as over.
    """
    predecessor = and_(Delivery.slot == owner.slot, Delivery.owner != owner.token)
    dead = or_(predecessor, Delivery.lease_until < now, Delivery.lease_until > now + LEASE * 2)
    returned = session.execute(
        update(Delivery)
        .where(IS_IN_HAND, Delivery.state == CLAIMED, dead)
        .values(state=PLANNED, owner=None, slot=None, lease_until=None, updated_at=now)
    )
    unknown = session.execute(
        update(Delivery)
        .where(IS_IN_HAND, Delivery.state == HANDING_OVER, dead)
        .values(
            **_after_unknown(policy), owner=None, slot=None, lease_until=None, next_at=now, updated_at=now
        )
        .returning(Delivery.id, Delivery.mailing_id, Delivery.state)
        .execution_options(synchronize_session=False)
    ).all()
    for delivery_id, mailing_id, state in unknown:
        event = Event.RESENT if state == PLANNED else Event.UNCERTAIN
        events.note(session, mailing_id, event, now, delivery_id, WORKER_DIED)
    return int(returned.rowcount), len(unknown)  # type: ignore[attr-defined]


def finish(session: Session, now: datetime) -> list[int]:
    """Close the mailings that have nothing open any more; return them."""
    control.drop_the_rest(session, now)
    control.pause_after_the_first(session, now)
    # What is asked besides the state has SQLite choose the small indexes of what waits and what is in hand.
    waiting = exists().where(Delivery.mailing_id == Mailing.id, IS_WAITING, Delivery.next_at > LONG_AGO)
    in_hand = select(Delivery.mailing_id).where(IS_IN_HAND, Delivery.slot > "")
    closed = session.scalars(
        update(Mailing)
        .where(Mailing.state == MailingState.SENDING, ~waiting, Mailing.id.not_in(in_hand))
        .values(state=MailingState.DONE, finished_at=now)
        .returning(Mailing.id)
    )
    return list(closed)


def template(session: Session, variant_id: int) -> bytes:
    """Return a variant's frozen bytes."""
    return session.scalars(select(Variant.template).where(Variant.id == variant_id)).one()


def envelope_from(session: Session, mailing_id: int) -> str:
    """Return the address that a mailing's bounces go to."""
    return session.scalars(select(Mailing.envelope_from).where(Mailing.id == mailing_id)).one()


def _claiming() -> ReturningUpdate[Any]:
    now = bindparam("now", type_=_TABLE.c.next_at.type)
    after = tuple_(bindparam("after_time", type_=_TABLE.c.next_at.type), bindparam("after_id"))
    due = (
        select(Delivery.id)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(
            Delivery.mailing_id == bindparam("its_mailing"),
            IS_WAITING,
            Delivery.next_at <= now,
            tuple_(Delivery.next_at, Delivery.id) > after,
            Mailing.state == MailingState.SENDING.value,
            or_(Mailing.first_to.is_(None), Delivery.id <= Mailing.first_to),
        )
        .order_by(Delivery.next_at, Delivery.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True, of=Delivery)
        .cte("due")
    )
    return (
        update(_TABLE)
        .where(_TABLE.c.id.in_(select(due.c.id)))
        .values(
            **unless_suppressed(_TABLE.c.address_hash, CLAIMED.value, DeliveryState.SKIPPED.value),
            variant_id=replacing.newest(_TABLE.c.variant_id),
            owner=bindparam("its_owner"),
            slot=bindparam("its_slot"),
            lease_until=bindparam("lease", type_=_TABLE.c.lease_until.type),
            updated_at=now,
        )
        .returning(*_CLAIMED_COLUMNS, _TABLE.c.state)
    )


WORKER_DIED = "the worker ended between the last byte and its record of the answer"
_TABLE: Table = Delivery.__table__  # type: ignore[assignment]
_CLAIMED_COLUMNS = [_TABLE.c[name] for name in Claim._fields]
_CLAIM = _claiming()


def _after_unknown(policy: Policy) -> dict[str, object]:
    """Return the columns of a row whose fate is unknown: held, or due once more, but only once."""
    again = and_(literal(policy is Policy.RESEND), Delivery.unknowns == 0)
    return {
        "state": case((again, PLANNED.value), else_=DeliveryState.UNCERTAIN.value),
        "reason": case((again, "resent"), else_="unknown"),
        "unknowns": Delivery.unknowns + 1,
    }
