"""Writing down what became of messages and what is about to leave: the ledger's hottest lines.

The statements are built once: building them for each message cost more than the database did.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Update,
    bindparam,
    case,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from blog.delivery import events, giving_up, health, learning, replacing, several, suppression
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.delivery.states import CLAIMED, HANDING_OVER, LEASE, TRANSITIONS, Fenced, Owner, Result
from blog.delivery.suppression import Reason, unless_suppressed

LONGEST_REPLY = 500


def record(
    session: Session, owner: Owner, results: Iterable[Result], intents: Sequence[int], now: datetime
) -> set[int]:
    """Record what became of the last messages and that the next ones are about to leave, in one transaction.

    Returns the deliveries whose hand-over is granted. One that is missing has been skipped (its reader left
    in the meantime) or its mailing is no longer being sent; not a byte of it may leave. Repeating the call
    after a lost answer to our own COMMIT changes nothing. Raises `Fenced` if a row has changed hands.
    """
    connection = session.connection()
    by_state: dict[DeliveryState, list[Result]] = defaultdict(list)
    for result in learning.heed(session, list(results), now):
        by_state[result.state].append(result)
    for state, same in by_state.items():
        if not _settle(connection, owner, state, same, now):
            continue  # Our own COMMIT was taken the first time, whatever follows with it.
        if state is DeliveryState.BOUNCED:
            health.bounced(session, [result.delivery_id for result in same])
        for result in same:
            if result.bad_address:
                _suppress(session, result, now)
            if result.gave_up:
                giving_up.tell(session, result.delivery_id, result.reply, now)
    return _hand_over(connection, owner, intents, now) if intents else set()


def _settle(
    connection: Connection, owner: Owner, state: DeliveryState, results: Sequence[Result], now: datetime
) -> bool:
    if state is DeliveryState.ACCEPTED:
        changed = _accept(connection, owner, results, now)
    else:
        rows = [_columns(owner, result, now) for result in results]
        changed = connection.execute(_SETTLE[state], rows).rowcount
    if changed == len(results):
        events.note_results(connection, state, results, now)
        return True
    for result in results:
        if not connection.scalar(_IS_RECORDED, _key(owner, result)):
            raise Fenced(f"delivery {result.delivery_id} has changed hands")
    return False


def _accept(connection: Connection, owner: Owner, results: Sequence[Result], now: datetime) -> int:
    dialect = connection.dialect.name
    replies = {result.delivery_id: result.reply[:LONGEST_REPLY] for result in results}
    values = {"its_owner": owner.token, "now": now, **several.words(dialect, replies)}
    return connection.execute(_ACCEPT[dialect], values).rowcount


def _hand_over(connection: Connection, owner: Owner, intents: Sequence[int], now: datetime) -> set[int]:
    dialect = connection.dialect.name
    values = {"its_owner": owner.token, "now": now, "lease": now + LEASE}
    rows = connection.execute(_HAND_OVER[dialect], values | several.numbers(dialect, intents))
    return {row_id for row_id, state in rows if state == HANDING_OVER}


def _suppress(session: Session, result: Result, now: datetime) -> None:
    column = select(Delivery.address_hash).where(Delivery.id == result.delivery_id)
    suppression.suppress(session, session.scalars(column).one(), Reason.BOUNCED, now)


def _key(owner: Owner, result: Result) -> dict[str, Any]:
    return {"its_id": result.delivery_id, "its_owner": owner.token, "its_state": result.state.value}


def _columns(owner: Owner, result: Result, now: datetime) -> dict[str, Any]:
    return {
        "its_id": result.delivery_id,
        "its_owner": owner.token,
        "why": result.reason,
        "said": result.reply[:LONGEST_REPLY],
        "now": now,
        "unknown": int(result.unknown),
        "later": result.next_at,
        "tried": int(_uses_up_a_try(result)),
    }


def _uses_up_a_try(result: Result) -> bool:
    """Whether a refusal uses up one of the recipient's tries: greylisting does, a domain that is shut not."""
    return result.state is DeliveryState.DEFERRED and not result.slower


def _settling(state: DeliveryState) -> Update:
    """Return the statement that moves a row in hand to `state`, from where `TRANSITIONS` allows it."""
    sources = [source for source in (CLAIMED, HANDING_OVER) if state in TRANSITIONS[source]]
    return (
        update(_TABLE)
        .where(
            _TABLE.c.id == bindparam("its_id"),
            _TABLE.c.owner == bindparam("its_owner"),
            # Not IN: its values would be expanded anew for each row, which executemany cannot do.
            or_(false(), *(_TABLE.c.state == source.value for source in sources)),
        )
        .values(
            state=state.value,
            reason=bindparam("why"),
            reply=bindparam("said"),
            lease_until=None,
            updated_at=bindparam("now"),
            # One that was handed over was counted then; one that the relay refused before is counted now.
            attempts=_TABLE.c.attempts + case((_TABLE.c.state == CLAIMED.value, bindparam("tried")), else_=0),
            unknowns=_TABLE.c.unknowns + bindparam("unknown"),
            next_at=func.coalesce(bindparam("later", type_=_TABLE.c.next_at.type), _TABLE.c.next_at),
        )
    )


def _state() -> ColumnElement[str]:
    """Return the state, asked so that PostgreSQL looks rows up by their number.

    In the index of what is in hand, which it takes for as good, it would pass all that was there since the
    last vacuum, with every message more.
    """
    return _TABLE.c.state.concat("")


def _accepting(dialect: str) -> Update:
    """Return what `_settling` does for the usual result, for many rows in one go."""
    number, words = several.numbered_words(dialect)
    return (
        update(_TABLE)
        .where(
            _TABLE.c.id == number,
            _TABLE.c.owner == bindparam("its_owner"),
            _state() == HANDING_OVER.value,
        )
        .values(
            state=DeliveryState.ACCEPTED.value,
            reason=None,
            reply=words,
            lease_until=None,
            updated_at=bindparam("now", type_=_TABLE.c.updated_at.type),
        )
    )


def _handing_over(dialect: str) -> ReturningUpdate[Any]:
    mailing = select(Mailing.state).where(Mailing.id == _TABLE.c.mailing_id).scalar_subquery()
    return (
        update(_TABLE)
        .where(
            several.is_among(dialect, _TABLE.c.id),
            _TABLE.c.owner == bindparam("its_owner"),
            or_(_state() == CLAIMED.value, _state() == HANDING_OVER.value),
            mailing == MailingState.SENDING.value,
            replacing.not_replaced(_TABLE),
        )
        .values(
            **unless_suppressed(_TABLE.c.address_hash, HANDING_OVER.value, DeliveryState.SKIPPED.value),
            lease_until=bindparam("lease", type_=_TABLE.c.lease_until.type),
            updated_at=bindparam("now", type_=_TABLE.c.updated_at.type),
            attempts=_TABLE.c.attempts + case((_TABLE.c.state == CLAIMED.value, 1), else_=0),
        )
        .returning(_TABLE.c.id, _TABLE.c.state)
    )


_DIALECTS = ("sqlite", "postgresql")
_TABLE: Table = Delivery.__table__  # type: ignore[assignment]
_SETTLE = {state: _settling(state) for state in DeliveryState}
_ACCEPT = {dialect: _accepting(dialect) for dialect in _DIALECTS}
_HAND_OVER = {dialect: _handing_over(dialect) for dialect in _DIALECTS}
_IS_RECORDED = select(true()).where(
    _TABLE.c.id == bindparam("its_id"),
    _TABLE.c.owner == bindparam("its_owner"),
    _TABLE.c.state == bindparam("its_state"),
)
