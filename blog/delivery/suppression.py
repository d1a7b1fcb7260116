"""Addresses that are not to be mailed, kept as keyed hashes so that the list itself names nobody."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Exists, bindparam, case, delete, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from blog.delivery.models import Suppression
from blog.delivery.upsert import upsert


class Reason(StrEnum):
    """Why an address is not to be mailed, from the weakest to the strongest."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"


#: What nobody but the operator lifts: a stranger who types the address again must cause no mail.
SILENT = frozenset({Reason.COMPLAINED, Reason.ERASED})
#: What pressing the button in a confirmation mail lifts: it proves that the mailbox works and is willing.
LIFTED_BY_CONFIRMING = frozenset({Reason.UNSUBSCRIBED, Reason.BOUNCED})


Hearer = Callable[[Session, list[str], Reason, datetime], None]
_HEARERS: list[Hearer] = []


def heard_by(hearer: Hearer) -> None:
    """Have a room above told, in the same transaction, whenever addresses are put on the list."""
    if hearer not in _HEARERS:
        _HEARERS.append(hearer)


def suppress(session: Session, address_hash: str, reason: Reason, now: datetime) -> None:
    """Put an address on the list; a stronger reason replaces a weaker one, never the other way round."""
    suppress_all(session, [address_hash], reason, now)


def suppress_all(session: Session, address_hashes: Iterable[str], reason: Reason, now: datetime) -> None:
    """Put addresses on the list, for the same reason."""
    hashes = list(address_hashes)
    if not hashes:
        return
    rows = [{"address_hash": each, "reason": reason, "created_at": now} for each in hashes]
    insert = upsert(session, Suppression).values(rows)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=[Suppression.address_hash],
            set_={"reason": insert.excluded.reason, "created_at": insert.excluded.created_at},
            where=Suppression.reason.in_(list(Reason)[: list(Reason).index(reason)]),
        )
    )
    for hearer in _HEARERS:
        hearer(session, hashes, reason, now)


def lift(session: Session, address_hash: str, reasons: Iterable[Reason]) -> None:
    """Take an address off the list if it is there for one of `reasons`."""
    session.execute(
        delete(Suppression).where(
            Suppression.address_hash == address_hash, Suppression.reason.in_(list(reasons))
        )
    )


def reason_for(session: Session, address_hash: str) -> Reason | None:
    """Return why an address is not to be mailed; None if it may be."""
    found = session.connection().scalar(_REASON, {"its_hash": address_hash})
    return None if found is None else Reason(found)


def entry(session: Session, address_hash: str) -> Suppression | None:
    """Return an address's entry on the list, or None."""
    return session.get(Suppression, address_hash)


def reasons_for(session: Session, address_hashes: Iterable[str]) -> dict[str, Reason]:
    """Return why those of these hashes that are on the list are not to be mailed."""
    rows = select(Suppression.address_hash, Suppression.reason)
    found = session.execute(rows.where(Suppression.address_hash.in_(list(address_hashes))))
    return {address_hash: Reason(reason) for address_hash, reason in found}


def touch(session: Session, address_hash: str) -> None:
    """Write an entry anew as it is: an answer that stores nothing must not be faster than one that does."""
    session.connection().execute(_TOUCH, {"its_hash": address_hash})


def unless_suppressed(address_hash: ColumnElement[str], state: str, otherwise: str) -> dict[str, Any]:
    """Return the columns of a row that goes on to `state`, or `otherwise` if its address is on the list."""
    why = select(Suppression.reason).where(Suppression.address_hash == address_hash).scalar_subquery()
    on_the_list = exists().where(Suppression.address_hash == address_hash)
    return {"state": case((on_the_list, otherwise), else_=state), "reason": why}


def is_suppressed(address_hash: InstrumentedAttribute[str]) -> Exists:
    """Return the clause that is true where the hash in this column is on the list."""
    return exists().where(Suppression.address_hash == address_hash)


_REASON = select(Suppression.reason).where(Suppression.address_hash == bindparam("its_hash"))
_TOUCH = (
    update(Suppression)
    .where(Suppression.address_hash == bindparam("its_hash"))
    .values(created_at=Suppression.created_at)
)
