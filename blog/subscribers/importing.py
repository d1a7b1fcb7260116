"""Bringing in people who opted in elsewhere. An import only adds: it never brings back somebody who left."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import available_timezones

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from blog.content.values import Site
from blog.delivery import addresses, suppression
from blog.delivery.addresses import Address
from blog.delivery.upsert import upsert
from blog.subscribers import choices
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Event, Method
from blog.subscribers.models import ConsentEvent, Status, Subscriber
from blog.subscribers.signup import new_row
from blog.tokens import Tokens

#: Rows looked up and inserted together; well below SQLite's limit of bound values.
AT_ONCE = 500
FIRST_LINE = 2  # the first one holds the columns' names

BAD_TIMEZONE = "unknown time zone; write it as Europe/Berlin"
BAD_DATE = "confirmed_at is not a date; write it as 2025-05-30 or 2025-05-30T09:00:00Z"
LATER = "confirmed_at lies in the future"


@dataclass
class ImportResult:
    """What an import did, and each line that could not be used with the reason."""

    added: int = 0
    updated: int = 0
    skipped: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """One usable line."""

    address: Address
    address_hash: str
    choices: Choices
    confirmed_at: datetime


Reader = Callable[[Mapping[str, str]], Person]


def import_rows(
    session: Session,
    tokens: Tokens,
    site: Site,
    rows: Iterable[Mapping[str, str]],
    evidence: str,
    now: datetime,
) -> ImportResult:
    """Add the people of a list that was opted in elsewhere; `evidence` says where and goes into the record.

    New and pending addresses become active. Active ones stay as they are; whoever left, bounced, complained
    or was erased stays out.
    """
    result = ImportResult()
    people = _people(rows, _reader(tokens, site, now), result)
    while batch := list(islice(people, AT_ONCE)):
        _import(session, batch, result, evidence, now)
    return result


def _people(rows: Iterable[Mapping[str, str]], read: Reader, result: ImportResult) -> Iterator[Person]:
    """Yield each usable line once by its address; note the others."""
    seen: set[str] = set()
    for line, row in enumerate(rows, FIRST_LINE):
        try:
            person = read({name.strip().lower(): (value or "").strip() for name, value in row.items()})
        except ValueError as error:
            result.problems.append((line, str(error)))
            continue
        if person.address.key in seen:
            result.skipped += 1
            continue
        seen.add(person.address.key)
        yield person


def _reader(tokens: Tokens, site: Site, now: datetime) -> Reader:
    zones = available_timezones()

    def read(row: Mapping[str, str]) -> Person:
        address = addresses.parse(row.get("email", ""))
        zone = row.get("timezone") or site.timezone
        if zone not in zones:
            raise ValueError(BAD_TIMEZONE)
        chosen = Choices(
            cadence=choices.cadence(row.get("cadence", ""), site),
            topics=choices.topics(row.get("topics", "").replace(";", ",").split(","), site),
            timezone=zone,
            language=row.get("language") or site.language,
        )
        return Person(address, tokens.address_hash(address.key), chosen, _confirmed_at(row, now))

    return read


def _confirmed_at(row: Mapping[str, str], now: datetime) -> datetime:
    given = row.get("confirmed_at", "")
    if not given:
        return now
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(BAD_DATE) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > now:
        raise ValueError(LATER)
    return moment


def _import(
    session: Session, people: list[Person], result: ImportResult, evidence: str, now: datetime
) -> None:
    suppressed = suppression.those_suppressed(session, [person.address_hash for person in people])
    existing = _existing(session, [person.address.key for person in people])
    welcome = [person for person in people if person.address_hash not in suppressed]
    new = [person for person in welcome if person.address.key not in existing]
    waiting = [person for person in welcome if existing.get(person.address.key) == Status.PENDING]
    active = {**_add(session, new, now), **_activate(session, waiting)}
    result.added += sum(person.address.key in active for person in new)
    result.updated += sum(person.address.key in active for person in waiting)
    result.skipped += len(people) - len(active)
    _record(session, [p for p in people if p.address.key in active], active, evidence, now)


def _existing(session: Session, keys: list[str]) -> dict[str, str]:
    found = select(Subscriber.address_key, Subscriber.status).where(Subscriber.address_key.in_(keys))
    return dict(session.execute(found).all())


def _add(session: Session, people: list[Person], now: datetime) -> dict[str, int]:
    """Insert active subscribers; return their numbers by address key."""
    if not people:
        return {}
    rows = [
        new_row(person.address, person.address_hash, person.choices, now)
        | {"status": Status.ACTIVE, "confirmed_at": person.confirmed_at}
        for person in people
    ]
    statement = upsert(session, Subscriber).on_conflict_do_nothing(index_elements=[Subscriber.address_key])
    added = session.execute(statement.returning(Subscriber.address_key, Subscriber.id), rows)
    return dict(added.all())


def _activate(session: Session, people: list[Person]) -> dict[str, int]:
    """Make pending subscribers active, with the choices they made here; return their numbers."""
    active = {}
    for person in people:
        number = session.scalar(
            update(Subscriber)
            .where(Subscriber.address_key == person.address.key, Subscriber.status == Status.PENDING)
            .values(status=Status.ACTIVE, confirmed_at=person.confirmed_at, nonce=secrets.token_hex(16))
            .returning(Subscriber.id)
        )
        if number is not None:
            active[person.address.key] = number
    return active


def _record(
    session: Session, people: list[Person], numbers: Mapping[str, int], evidence: str, now: datetime
) -> None:
    if not people:
        return
    rows = [
        {
            "subscriber_id": numbers[person.address.key],
            "event": Event.IMPORTED,
            "method": Method.IMPORT,
            "at": now,
            "wording": "",
            "network": "",
            "details": {"evidence": evidence, "confirmed_at": person.confirmed_at.isoformat()},
        }
        for person in people
    ]
    session.execute(insert(ConsentEvent), rows)
