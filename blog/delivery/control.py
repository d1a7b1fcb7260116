"""A hand on the lever of a mailing: approve, pause, resume, cancel, and settle what is uncertain.

The state of the mailing is looked at inside each claim and each hand-over, so a change holds from its commit
on: after it no message leaves, but for those that are on the wire at that moment.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, TextClause, exists, select, union_all, update
from sqlalchemy.orm import Session

from blog.delivery import events, health, stopping
from blog.delivery.events import Event
from blog.delivery.models import (
    IS_IN_HAND,
    IS_UNUSUAL,
    IS_WAITING,
    Delivery,
    DeliveryState,
    Mailing,
    MailingHealth,
    MailingState,
)
from blog.delivery.states import CLAIMED, DEFERRED, LONG_AGO, PLANNED
from blog.errors import BlogError, NoSuchIssue

CANCELLED = "cancelled"
DROPPED_AT_ONCE = 2000

#: Which event may follow which state of a mailing, and where it leads.
MOVES: dict[Event, tuple[frozenset[MailingState], MailingState]] = {
    Event.APPROVED: (frozenset({MailingState.PLANNED}), MailingState.SENDING),
    Event.PAUSED: (frozenset({MailingState.SENDING}), MailingState.PAUSED),
    Event.RESUMED: (frozenset({MailingState.PAUSED}), MailingState.SENDING),
    Event.CANCELLED: (
        frozenset({MailingState.PLANNED, MailingState.SENDING, MailingState.PAUSED}),
        MailingState.CANCELLED,
    ),
}


def move(session: Session, mailing_id: int, event: Event, now: datetime) -> None:
    """Move a mailing on; raise `BlogError`, saying where it stands, if that is not possible from there."""
    sources, target = MOVES[event]
    if event is Event.RESUMED:
        # First, as by who pauses it: rows taken in another order could have two wait for one another.
        health.begin_anew(session, mailing_id)
    moved = session.execute(
        update(Mailing)
        .where(Mailing.id == mailing_id, Mailing.state.in_([source.value for source in sources]))
        .values(state=target, first_to=None)
        .execution_options(synchronize_session=False)
    )
    if _count(moved) == 1:
        events.note(session, mailing_id, event, now)
        if event is Event.RESUMED:
            stopping.try_again(session, mailing_id, now)
        return
    state = state_of(session, mailing_id)
    wanted = " or ".join(sorted(sources))
    raise BlogError(f"issue {mailing_id} is {state}; only one that is {wanted} can be {event}")


def state_of(session: Session, mailing_id: int) -> MailingState:
    """Return where a mailing stands; raise `BlogError` if there is none of that number."""
    state = session.scalar(select(Mailing.state).where(Mailing.id == mailing_id))
    if state is None:
        raise NoSuchIssue(mailing_id)
    return MailingState(state)


def only_the_first(session: Session, mailing_id: int, number: int) -> None:
    """Have a mailing go to its first recipients only; then it pauses by itself."""
    order = select(Delivery.id).where(Delivery.mailing_id == mailing_id).order_by(Delivery.id)
    last = session.scalar(order.offset(number - 1).limit(1))
    session.execute(update(Mailing).where(Mailing.id == mailing_id).values(first_to=last))


def pause_after_the_first(session: Session, now: datetime) -> None:
    """Pause the mailings whose first recipients have all been tried: somebody is to look at how it went."""
    waiting = exists().where(
        Delivery.mailing_id == Mailing.id,
        IS_WAITING,
        Delivery.next_at > LONG_AGO,
        Delivery.state == PLANNED,
        Delivery.id <= Mailing.first_to,
    )
    in_hand = select(Delivery.mailing_id).where(IS_IN_HAND, Delivery.slot > "")
    tried = select(Mailing.id).where(
        Mailing.state == MailingState.SENDING,
        Mailing.first_to.is_not(None),
        Mailing.id.not_in(select(MailingHealth.mailing_id).where(MailingHealth.canary_to.is_not(None))),
        ~waiting,
        Mailing.id.not_in(in_hand),
    )
    for mailing_id in list(session.scalars(tried)):
        session.execute(
            update(Mailing)
            .where(Mailing.id == mailing_id, Mailing.state == MailingState.SENDING)
            .values(state=MailingState.PAUSED, first_to=None)
        )
        events.note(session, mailing_id, Event.FIRST_DONE, now)


def drop_the_rest(session: Session, now: datetime, limit: int = DROPPED_AT_ONCE) -> bool:
    """Skip up to `limit` deliveries of cancelled mailings that have not left; return whether more may be.

    What a worker has claimed is taken back as well: its hand-over is refused, since it owns the row no more.
    """
    cancelled = select(Mailing.id).where(
        Mailing.state == MailingState.CANCELLED, Mailing.finished_at.is_(None)
    )
    more = False
    for mailing_id in list(session.scalars(cancelled)):
        more = _drop(session, mailing_id, limit, now) >= limit or more
        waits, held = exists().where(*_waiting(mailing_id)), exists().where(*_in_hand(mailing_id))
        session.execute(
            update(Mailing).where(Mailing.id == mailing_id, ~waits, ~held).values(finished_at=now)
        )
    return more


def uncertain_ids(session: Session, mailing_id: int, addresses: Sequence[str]) -> list[int]:
    """Return the uncertain deliveries, all or those to `addresses`; raise `BlogError` for one that is not."""
    wanted = Delivery.mailing_id == mailing_id, IS_UNUSUAL, Delivery.state == DeliveryState.UNCERTAIN
    named = select(Delivery.id, Delivery.address).with_hint(
        Delivery, "INDEXED BY ix_deliveries_unusual", "sqlite"
    )
    found = session.execute(named.where(*wanted).order_by(Delivery.id)).all()
    keys = {address.casefold(): address for address in addresses}
    strangers = keys.keys() - {address.casefold() for _, address in found}
    if strangers:
        names = ", ".join(sorted(keys[key] for key in strangers))
        raise BlogError(f"not uncertain in issue {mailing_id}: {names}")
    return [number for number, address in found if not addresses or address.casefold() in keys]


def settle(
    session: Session, mailing_id: int, event: Event, delivery_ids: Sequence[int], now: datetime
) -> None:
    """Settle uncertain deliveries: hold them as they are, take them as accepted, or send them once more."""
    if event is Event.RESENT:
        _resume_for_resending(session, mailing_id)
    values = _SETTLED[event]
    for number in delivery_ids:
        if values:
            session.execute(
                update(Delivery)
                .where(Delivery.id == number, Delivery.state == DeliveryState.UNCERTAIN)
                .values(**values, next_at=now, updated_at=now)
                .execution_options(synchronize_session=False)
            )
        events.note(session, mailing_id, event, now, number, "by hand")


def _resume_for_resending(session: Session, mailing_id: int) -> None:
    state = state_of(session, mailing_id)
    if state == MailingState.CANCELLED:
        raise BlogError(f"issue {mailing_id} is cancelled: nothing of it is sent any more")
    session.execute(
        update(Mailing)
        .where(Mailing.id == mailing_id, Mailing.state == MailingState.DONE)
        .values(state=MailingState.SENDING, finished_at=None)
    )


def _drop(session: Session, mailing_id: int, limit: int, now: datetime) -> int:
    waiting = select(Delivery.id).where(*_waiting(mailing_id)).limit(limit).subquery()
    claimed = select(Delivery.id).where(*_in_hand(mailing_id), Delivery.state == CLAIMED)
    dropped = session.execute(
        update(Delivery)
        .where(
            Delivery.id.in_(union_all(select(waiting.c.id), claimed)),
            Delivery.state.in_([PLANNED, DEFERRED, CLAIMED]),
        )
        .values(
            state=DeliveryState.SKIPPED,
            reason=CANCELLED,
            owner=None,
            slot=None,
            lease_until=None,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    return _count(dropped)


def _waiting(mailing_id: int) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """Choose what waits by its small index: else each lot would read all that has been sent before it."""
    return Delivery.mailing_id == mailing_id, IS_WAITING, Delivery.next_at > LONG_AGO


def _in_hand(mailing_id: int) -> tuple[ColumnElement[bool] | TextClause, ...]:
    return IS_IN_HAND, Delivery.slot > "", Delivery.mailing_id == mailing_id


def _count(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


_SETTLED: dict[Event, dict[str, str]] = {
    Event.HELD: {},
    Event.SETTLED: {"state": DeliveryState.ACCEPTED, "reason": "settled by hand"},
    Event.RESENT: {"state": PLANNED, "reason": "resent by hand"},
}
