"""The life of a subscription: its states, what may follow what, and the one function that moves it on.

Each move is one conditional UPDATE and one consent event in the same transaction: of two at once only one
finds the row as it was, and the record of consent, read in order, always ends where the row stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Table,
    and_,
    bindparam,
    case,
    false,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from blog.delivery.models import Suppression
from blog.delivery.suppression import Reason
from blog.subscribers import audience, consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import Status, Subscriber

FOLLOWED_AT_ONCE = 500


class State(StrEnum):
    """Where a subscription stands. *Paused* is an active one with a date ahead; it ends by itself."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"


_PENDING, _ACTIVE, _PAUSED = State.PENDING, State.ACTIVE, State.PAUSED
_UNSUBSCRIBED, _BOUNCED, _COMPLAINED = State.UNSUBSCRIBED, State.BOUNCED, State.COMPLAINED

#: How a subscription begins.
BEGINNINGS: dict[Event, State] = {Event.REQUESTED: _PENDING, Event.IMPORTED: _ACTIVE}
#: What may follow what. Only erasure leads out of *complained*, nothing out of *erased*.
TRANSITIONS: dict[Event, dict[State, State]] = {
    Event.REQUESTED: {
        _PENDING: _PENDING,
        _ACTIVE: _ACTIVE,
        _PAUSED: _PAUSED,
        _UNSUBSCRIBED: _UNSUBSCRIBED,
        _BOUNCED: _PENDING,
    },
    Event.CONFIRMED: {_PENDING: _ACTIVE, _UNSUBSCRIBED: _ACTIVE},
    Event.IMPORTED: {_PENDING: _ACTIVE},
    Event.CHANGED: {_ACTIVE: _ACTIVE, _PAUSED: _PAUSED},
    Event.MOVED: {_ACTIVE: _ACTIVE, _PAUSED: _PAUSED},
    Event.PAUSED: {_ACTIVE: _PAUSED, _PAUSED: _PAUSED},
    Event.RESUMED: {_PAUSED: _ACTIVE},
    Event.WITHDRAWN: {
        _PENDING: _UNSUBSCRIBED,
        _ACTIVE: _UNSUBSCRIBED,
        _PAUSED: _UNSUBSCRIBED,
        _BOUNCED: _UNSUBSCRIBED,
    },
    Event.RESTORED: {_UNSUBSCRIBED: _ACTIVE},
    Event.BOUNCED: {_ACTIVE: _BOUNCED, _PAUSED: _BOUNCED},
    Event.COMPLAINED: {
        _PENDING: _COMPLAINED,
        _ACTIVE: _COMPLAINED,
        _PAUSED: _COMPLAINED,
        _UNSUBSCRIBED: _COMPLAINED,
        _BOUNCED: _COMPLAINED,
    },
    Event.ERASED: {state: State.ERASED for state in State if state is not State.ERASED},
}
_FALLEN = {Reason.BOUNCED: Event.BOUNCED, Reason.COMPLAINED: Event.COMPLAINED}


@dataclass(frozen=True)
class Act:
    """By what means something was done, from where, and when."""

    method: Method
    origin: Origin
    now: datetime


Moment = datetime | BindParameter[datetime | None]
Details = Callable[[Subscriber], Mapping[str, Any]]


def state_of(subscriber: Subscriber, reason: str | None, now: datetime) -> State:
    """Return the state of a subscription whose address is suppressed for `reason`."""
    status = audience.status_with(subscriber.status, reason)
    paused = subscriber.paused_until is not None and subscriber.paused_until > now
    return State.PAUSED if paused and status is Status.ACTIVE else State(status)


def move(
    session: Session,
    who: ColumnElement[bool],
    event: Event,
    act: Act,
    *,
    reason: Reason | None = None,
    values: Mapping[str, Any] | None = None,
    details: Details | None = None,
) -> Subscriber | None:
    """Move the one subscription that `who` matches on and record it; None if the table forbids it.

    `reason` is why its address is suppressed, where the caller knows; `values` are further columns.
    """
    subscriber = _update(session, who, event, reason, act.now, values or {})
    if subscriber is not None:
        said = dict(details(subscriber)) if details else {}
        consent.record(session, subscriber.id, event, act.method, act.origin, act.now, said)
    return subscriber


def requesting(who: ColumnElement[bool], reason: Reason | None, values: Mapping[str, Any]) -> Executable:
    """Return the statement that moves a subscription on by a request to be mailed, with a parameter `now`.

    It gives back the row's number, or nothing where the table forbids it. The sign-up, asked for hundreds of
    times a second in a flood, builds it once, records in any case, and takes that back if refused.
    """
    now = bindparam("now", type_=Subscriber.paused_until.type)
    return (
        update(_TABLE)
        .where(who, _allowed(Event.REQUESTED, reason, now))
        .values(**{**_columns(Event.REQUESTED, reason, now), **values})
        .returning(_TABLE.c.id)
    )


def write_down(session: Session, address_hashes: list[str], reason: Reason, now: datetime) -> None:
    """Write a bounce or a complaint into people's own records, in the transaction that suppresses them."""
    event = _FALLEN.get(reason)
    if event is None:
        return
    act = Act(Method.MAIL, Origin(""), now)
    found = select(Subscriber.id).where(Subscriber.address_hash.in_(address_hashes))
    for number in session.scalars(found).all():
        move(session, Subscriber.id == number, event, act)


def follow(session: Session, now: datetime) -> int:
    """Bring subscriptions in line with what the delivery room has suppressed; return how many moved.

    The relay's verdict is written into the person's own record as it comes; this mends what an older version
    or a hand in the database has left behind.
    """
    behind = (
        select(Subscriber.id, Suppression.reason)
        .join(Suppression, Suppression.address_hash == Subscriber.address_hash)
        .where(
            or_(
                and_(Suppression.reason == Reason.BOUNCED, Subscriber.status == Status.ACTIVE),
                and_(
                    Suppression.reason == Reason.COMPLAINED,
                    Subscriber.status.not_in([Status.COMPLAINED, Status.ERASED]),
                ),
            )
        )
        .limit(FOLLOWED_AT_ONCE)
    )
    act = Act(Method.MAIL, Origin(""), now)
    found = session.execute(behind).all()
    return sum(
        move(session, Subscriber.id == number, _FALLEN[Reason(reason)], act) is not None
        for number, reason in found
    )


def _update(
    session: Session,
    who: ColumnElement[bool],
    event: Event,
    reason: Reason | None,
    now: datetime,
    values: Mapping[str, Any],
) -> Subscriber | None:
    found: Subscriber | None = session.scalar(
        update(Subscriber)
        .where(who, _allowed(event, reason, now))
        .values(**{**_columns(event, reason, now), **values})
        .returning(Subscriber)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    return found


def _as_row(state: State, now: Moment) -> ColumnElement[bool]:
    """Return the condition that a row is in a state, by its own columns."""
    if state is State.PAUSED:
        return and_(Subscriber.status == Status.ACTIVE, Subscriber.paused_until > now)
    if state is State.ACTIVE:
        awake = or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= now)
        return and_(Subscriber.status == Status.ACTIVE, awake)
    return Subscriber.status == state.value


def _targets(event: Event, reason: Reason | None) -> dict[State, State]:
    """Return where each row's own state leads to, as the suppression of its address allows."""
    table = TRANSITIONS[event]
    seen = {state: _seen(state, reason) for state in State}
    return {state: table[seen[state]] for state in State if seen[state] in table}


def _seen(state: State, reason: Reason | None) -> State:
    # A row that waits for its confirmation is judged by that, not by the bounce of an earlier subscription.
    if reason is Reason.BOUNCED and state in (State.ACTIVE, State.PAUSED):
        return State.BOUNCED
    return State(reason) if reason in (Reason.COMPLAINED, Reason.ERASED) else state


def _allowed(event: Event, reason: Reason | None, now: Moment) -> ColumnElement[bool]:
    return or_(false(), *(_as_row(state, now) for state in _targets(event, reason)))


def _columns(event: Event, reason: Reason | None, now: Moment) -> dict[str, Any]:
    targets = _targets(event, reason)
    whens = [(_as_row(source, now), _word(target)) for source, target in targets.items()]
    kept = [_as_row(source, now) for source, target in targets.items() if target is State.PAUSED]
    status = case(*whens, else_=Subscriber.status) if whens else Subscriber.status
    return {
        "status": status,
        "paused_until": case((or_(*kept), Subscriber.paused_until), else_=null()) if kept else None,
    }


_TABLE: Table = Subscriber.__table__  # type: ignore[assignment]


def _word(state: State) -> str:
    return Status.ACTIVE if state is State.PAUSED else state.value
