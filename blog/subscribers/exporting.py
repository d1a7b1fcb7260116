"""The whole list as a table that loses nothing: people, their records of consent, and who is never mailed.

Of whoever was erased only the keyed hash is left, and goes along: it keeps them out where the list is brought
in again, as long as the secret key is the same.
"""

import json
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.db import Database
from blog.delivery.models import Suppression
from blog.subscribers import audience, report
from blog.subscribers.models import ConsentEvent, Status, Subscriber
from blog.subscribers.peers import guarded

COLUMNS = (
    "email",
    "status",
    "cadence",
    "topics",
    "timezone",
    "language",
    "created_at",
    "confirmed_at",
    "left_at",
    "paused_until",
    "address_hash",
    "consent",
)
AT_ONCE = 500


def rows(database: Database) -> Iterator[list[str]]:
    """Yield the table's rows, read in short transactions; no cell can be taken for a formula."""
    last = 0
    while True:
        with database.reading() as session:
            page = _page(session, last)
        if not page:
            break
        last = page[-1][0]
        yield from ([guarded(cell) for cell in cells] for _, cells in page)
    mark = ""
    while True:
        with database.reading() as session:
            found = _hashes(session, mark)
            ours = _ours(session, list(found))
        if not found:
            return
        mark = max(found)
        yield from (_known_by_hash(one, reason) for one, reason in found.items() if one not in ours)


def _page(session: Session, after: int) -> list[tuple[int, list[str]]]:
    page = select(Subscriber).where(Subscriber.id > after).order_by(Subscriber.id).limit(AT_ONCE)
    found = session.scalars(page).all()
    events: dict[int, list[ConsentEvent]] = {person.id: [] for person in found}
    # Not joined: PostgreSQL would read the whole list of suppressions for each page.
    theirs = Suppression.address_hash.in_([person.address_hash for person in found])
    rows = session.execute(select(Suppression.address_hash, Suppression.reason).where(theirs))
    reasons = {row.address_hash: row.reason for row in rows}
    of_these = select(ConsentEvent).where(ConsentEvent.subscriber_id.in_(list(events)))
    for event in session.scalars(of_these.order_by(ConsentEvent.id)):
        events[event.subscriber_id].append(event)
    return [
        (person.id, _cells(person, reasons.get(person.address_hash), events[person.id])) for person in found
    ]


def _cells(person: Subscriber, reason: str | None, events: list[ConsentEvent]) -> list[str]:
    status = audience.status_with(person.status, reason)
    if person.status == Status.ERASED:
        return _known_by_hash(person.address_hash, Status.ERASED)
    record = json.dumps([report.event(event) for event in events], ensure_ascii=False)
    moments = (person.created_at, person.confirmed_at, person.left_at, person.paused_until)
    return [
        person.email,
        status.value,
        person.cadence,
        person.topics,
        person.timezone,
        person.language,
        *(report.iso(moment) or "" for moment in moments),
        person.address_hash,
        record,
    ]


def _hashes(session: Session, after: str) -> dict[str, str]:
    """Return the next addresses that are not to be mailed, with the reason of each, in their order."""
    found = select(Suppression.address_hash, Suppression.reason).where(Suppression.address_hash > after)
    rows = session.execute(found.order_by(Suppression.address_hash).limit(AT_ONCE))
    return {row.address_hash: row.reason for row in rows}


def _ours(session: Session, hashes: list[str]) -> set[str]:
    """Return those of these addresses that belong to somebody here."""
    return set(session.scalars(select(Subscriber.address_hash).where(Subscriber.address_hash.in_(hashes))))


def _known_by_hash(address_hash: str, reason: str) -> list[str]:
    known = {"status": str(reason), "address_hash": address_hash, "consent": "[]"}
    return [known.get(column, "") for column in COLUMNS]
