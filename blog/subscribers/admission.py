"""What becomes of the people of a list that is brought in: decided for each, stored for many at once.

A row here outranks the list where it is stricter, and the list outranks a row where the list is.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from blog.delivery import suppression
from blog.delivery.addresses import Address
from blog.delivery.suppression import Reason
from blog.delivery.upsert import upsert
from blog.subscribers import directory, lifecycle, privacy
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import ConsentEvent, Status, Subscriber
from blog.subscribers.signup import new_row


class Fate(StrEnum):
    """What became of one person of a list."""

    ADDED = "added"
    UPDATED = "updated"
    TIGHTENED = "tightened"
    REFUSED = "refused"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Source:
    """What kind of list it is, and the operator's word on where its people opted in."""

    kind: str
    evidence: str


@dataclass(frozen=True)
class Past:
    """What an export of ours tells beyond the choices."""

    created_at: datetime | None = None
    left_at: datetime | None = None
    paused_until: datetime | None = None
    record: list[dict[str, Any]] = field(default_factory=list)
    is_ours: bool = False


@dataclass(frozen=True)
class Person:
    """One usable line; without an address where only its keyed hash was left."""

    address: Address
    address_hash: str
    status: Status
    choices: Choices
    confirmed_at: datetime | None
    past: Past


@dataclass(frozen=True)
class Here:
    """What is known here of an address: its row, if there is one, and why it is not to be mailed."""

    number: int | None
    status: str | None
    reason: Reason | None


#: What a list's word for somebody who must not be mailed does here, and what the record says of it.
_AGAINST = {
    Status.UNSUBSCRIBED: Event.WITHDRAWN,
    Status.BOUNCED: Event.BOUNCED,
    Status.COMPLAINED: Event.COMPLAINED,
    Status.ERASED: Event.ERASED,
}


def admit(session: Session, people: list[Person], source: Source, now: datetime) -> list[tuple[Person, Fate]]:
    """Store what a list says of these people, each address once, and return what became of each."""
    known = _known(session, people)
    fates = [(person, fate_of(person, known[person.address_hash])) for person in people]
    groups = {fate: [person for person, found in fates if found is fate] for fate in Fate}
    added = _add(session, groups[Fate.ADDED], source, now)
    _activate(session, groups[Fate.UPDATED], known, source, now)
    _tighten(session, groups[Fate.TIGHTENED], known, source, now)
    # Between the look and the insert somebody may have signed up: theirs is the older right.
    late = {p.address_hash for p in groups[Fate.ADDED] if p.address.key not in added}
    return [(person, Fate.UNCHANGED if person.address_hash in late else fate) for person, fate in fates]


def fate_of(person: Person, here: Here) -> Fate:
    """Return what is to become of a person, by what the list says and what is known here."""
    if person.status in _AGAINST:
        return Fate.TIGHTENED if _is_stricter(Reason(person.status), here) else Fate.UNCHANGED
    if person.status is Status.PENDING or here.reason is not None:
        return Fate.REFUSED
    if here.status is None:
        return Fate.ADDED
    return {Status.PENDING: Fate.UPDATED, Status.ACTIVE: Fate.UNCHANGED}.get(
        Status(here.status), Fate.REFUSED
    )


def _is_stricter(reason: Reason, here: Here) -> bool:
    order = list(Reason)
    return (
        here.reason is None or here.status == Status.ACTIVE or order.index(reason) > order.index(here.reason)
    )


def _known(session: Session, people: list[Person]) -> dict[str, Here]:
    hashes = [person.address_hash for person in people]
    reasons = suppression.reasons_for(session, hashes)
    rows = {
        address_hash: (number, status)
        for address_hash, number, status in session.execute(
            select(Subscriber.address_hash, Subscriber.id, Subscriber.status).where(
                Subscriber.address_hash.in_(hashes), Subscriber.status != Status.ERASED
            )
        )
    }
    known = {}
    for address_hash in hashes:
        number, status = rows.get(address_hash, (None, None))
        known[address_hash] = Here(number, status, reasons.get(address_hash))
    return known


def _add(session: Session, people: list[Person], source: Source, now: datetime) -> dict[str, int]:
    """Insert active subscribers with their record; return their numbers by address key."""
    rows = [_row(person, now) | {"paused_until": _ahead(person.past.paused_until, now)} for person in people]
    numbers = _insert(session, rows)
    events = [
        _event(numbers[person.address.key], Event.IMPORTED, _told(person, source), now)
        for person in people
        if person.address.key in numbers
    ]
    _record(session, events)
    return numbers


def _activate(
    session: Session, people: list[Person], known: Mapping[str, Here], source: Source, now: datetime
) -> None:
    """Make pending subscribers active, with the choices they made here."""
    if not people:
        return
    numbers = {person.address_hash: known[person.address_hash].number or 0 for person in people}
    rows = [
        {
            "its_id": numbers[person.address_hash],
            "agreed": person.confirmed_at or now,
            "fresh": secrets.token_hex(16),
        }
        for person in people
    ]
    session.connection().execute(_ACTIVATE, rows)
    _record(
        session,
        [_event(numbers[p.address_hash], Event.IMPORTED, _told(p, source), now) for p in people],
    )


def _tighten(
    session: Session, people: list[Person], known: Mapping[str, Here], source: Source, now: datetime
) -> None:
    """Take over that these must not be mailed; who is here hears of it in their record."""
    act = Act(Method.IMPORT, Origin(""), now)
    for person in people:
        here = known[person.address_hash]
        if here.number is not None:
            _end(session, person, here, source, act)
    _keep_departed(session, [p for p in people if known[p.address_hash].number is None], source, now)
    for reason in Reason:
        hashes = [person.address_hash for person in people if person.status == reason.value]
        suppression.suppress_all(session, hashes, reason, now)


def _end(session: Session, person: Person, here: Here, source: Source, act: Act) -> None:
    if person.status is Status.ERASED:
        row = directory.by_hash(session, person.address_hash)
        if row is not None:
            privacy.erase(session, row, act)
        return
    # Who has asked anew, here, may still press the button: that is their own and later word.
    if here.status == Status.PENDING and person.status is not Status.COMPLAINED:
        return
    left = {"left_at": act.now, "nonce": secrets.token_hex(16), "account_nonce": None}
    lifecycle.move(
        session,
        Subscriber.id == here.number,
        _AGAINST[person.status],
        act,
        values=left if person.status is Status.UNSUBSCRIBED else {},
        details=lambda _: {"evidence": source.evidence, "from": source.kind},
    )


def _keep_departed(session: Session, people: list[Person], source: Source, now: datetime) -> None:
    """Keep the record of who left, out of an export of ours; of other lists a keyed hash is enough."""
    kept = [
        person
        for person in people
        if person.past.is_ours and person.address.email and person.status is not Status.ERASED
    ]
    rows = [_row(person, now) | {"status": person.status, "left_at": person.past.left_at} for person in kept]
    numbers = _insert(session, rows)
    events = []
    for person in kept:
        number = numbers.get(person.address.key)
        if number is not None:
            told = _told(person, source)
            events += [
                _event(number, Event.IMPORTED, told, now),
                _event(number, _AGAINST[person.status], {"from": source.kind}, now),
            ]
    _record(session, events)


def _row(person: Person, now: datetime) -> dict[str, Any]:
    agreed = person.confirmed_at or (now if person.status is Status.ACTIVE else None)
    return {
        **new_row(person.address, person.address_hash, person.choices, person.past.created_at or now),
        "status": Status.ACTIVE,
        "confirmed_at": agreed,
    }


def _ahead(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment and moment > now else None


def _insert(session: Session, rows: list[dict[str, Any]]) -> dict[str, int]:
    if not rows:
        return {}
    statement = upsert(session, Subscriber).on_conflict_do_nothing(index_elements=[Subscriber.address_key])
    added = session.execute(statement.returning(Subscriber.address_key, Subscriber.id), rows)
    return dict(added.all())


def _told(person: Person, source: Source) -> dict[str, Any]:
    """Return what the record keeps of where somebody came from, with the record that came along."""
    agreed = {"confirmed_at": person.confirmed_at.isoformat()} if person.confirmed_at else {}
    record = {"record": person.past.record} if person.past.record else {}
    return {"evidence": source.evidence, "from": source.kind, **agreed, **record}


def _event(number: int, event: Event, details: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "subscriber_id": number,
        "event": event,
        "method": Method.IMPORT,
        "at": now,
        "wording": "",
        "network": "",
        "details": dict(details),
    }


def _record(session: Session, events: Iterable[dict[str, Any]]) -> None:
    rows = list(events)
    if rows:
        session.execute(insert(ConsentEvent), rows)


_ACTIVATE = (
    update(Subscriber.__table__)  # type: ignore[arg-type]
    .where(Subscriber.id == bindparam("its_id"), Subscriber.status == Status.PENDING)
    .values(
        status=Status.ACTIVE,
        confirmed_at=bindparam("agreed", type_=Subscriber.confirmed_at.type),
        nonce=bindparam("fresh"),
    )
)
