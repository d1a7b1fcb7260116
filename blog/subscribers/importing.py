"""Bringing in people who opted in elsewhere. An import can only tighten: who has left stays out."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from blog.content.values import Site
from blog.delivery import addresses
from blog.delivery.addresses import Address
from blog.subscribers import admission, choices, peers
from blog.subscribers.admission import Fate, Past, Person, Source
from blog.subscribers.choices import Choices
from blog.subscribers.models import Status
from blog.subscribers.peers import Entry, Peer, Row
from blog.tokens import Tokens

#: Lines looked up and stored together; well below SQLite's limit of bound values.
AT_ONCE = 500
FIRST_LINE = 2  # the first one holds the columns' names
SAMPLES = 5
HASH_LENGTH = 64
#: Of two lines about one address the stricter one holds, whichever comes first.
STRICTNESS = (
    Status.PENDING,
    Status.ACTIVE,
    Status.UNSUBSCRIBED,
    Status.BOUNCED,
    Status.COMPLAINED,
    Status.ERASED,
)

#: The shape of a language tag (RFC 5646, section 2.1), no longer than the column.
_LANGUAGE = re.compile(r"(?=.{2,35}$)[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
BAD_TIMEZONE = "unknown time zone; write it as Europe/Berlin"
BAD_LANGUAGE = "unknown language; write it as en or pt-BR"
BAD_DATE = "is not a date; write it as 2025-05-30 or 2025-05-30T09:00:00Z"
LATER = "confirmed_at lies in the future"
BAD_CONSENT = "consent is not the record that an export writes"


@dataclass
class ImportResult:
    """What an import did, a few of each kind, and each line that could not be used with the reason.

    `skipped` counts every usable line that changed nothing; `refused` are those of them whose person has left
    here, or has never confirmed there.
    """

    added: int = 0
    updated: int = 0
    tightened: int = 0
    skipped: int = 0
    refused: int = 0
    samples: dict[str, list[str]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def count(self, person: Person, fate: Fate) -> None:
        """Note what became of one person."""
        self.added += fate is Fate.ADDED
        self.updated += fate is Fate.UPDATED
        self.tightened += fate is Fate.TIGHTENED
        self.refused += fate is Fate.REFUSED
        self.skipped += fate in (Fate.REFUSED, Fate.UNCHANGED)
        some = self.samples.setdefault(fate, [])
        if len(some) < SAMPLES and person.address.email:
            some.append(person.address.email)


@dataclass
class Reading:
    """One list while it is read: what its lines are read with, and what has been seen of it."""

    tokens: Tokens
    site: Site
    peer: Peer
    now: datetime
    #: Where not empty, only readers with one of these tags are let in; who left there stays out all the same.
    only: frozenset[str] = frozenset()
    result: ImportResult = field(default_factory=ImportResult)
    seen: dict[str, int] = field(default_factory=dict)
    zones: set[str] = field(default_factory=available_timezones)

    def batches(self, lines: Iterable[tuple[int, Row]]) -> Iterator[list[Person]]:
        """Yield the usable lines, so many at once, each address once in them; note the others."""
        batch: dict[str, Person] = {}
        for person in self._people(lines):
            if len(batch) == AT_ONCE or person.address_hash in batch:
                yield list(batch.values())
                batch = {}
            batch[person.address_hash] = person
        if batch:
            yield list(batch.values())

    def _people(self, lines: Iterable[tuple[int, Row]]) -> Iterator[Person]:
        for line, row in lines:
            tidy = {name.strip().lower(): (value or "").strip() for name, value in row.items()}
            try:
                entry = self.peer.read(tidy)
                person = self._person(entry)
            except ValueError as error:
                self.result.problems.append((line, str(error)))
                continue
            if not self._is_wanted(entry) or not self._is_news(person):
                self.result.skipped += 1
                continue
            yield person

    def _is_news(self, person: Person) -> bool:
        """Whether an address is seen for the first time, or again by a line that is stricter."""
        rank = STRICTNESS.index(person.status)
        if rank <= self.seen.get(person.address_hash, -1):
            return False
        self.seen[person.address_hash] = rank
        return True

    def _is_wanted(self, entry: Entry) -> bool:
        tags = {tag.casefold() for tag in entry.tags}
        return not self.only or entry.status is not Status.ACTIVE or bool(self.only & tags)

    def _person(self, entry: Entry) -> Person:
        address, address_hash = self._address(entry)
        if entry.status is not Status.ACTIVE:
            # Of somebody who left nothing but the address is needed: no other cell may keep them in.
            return self._as_far_as_readable(entry, address, address_hash)
        return Person(
            address,
            address_hash,
            entry.status,
            self._choices(entry),
            self._confirmed_at(entry.confirmed_at),
            self._past(entry),
        )

    def _address(self, entry: Entry) -> tuple[Address, str]:
        stored = entry.own.get("address_hash", "")
        if self.peer.name == "blog" and not entry.email and len(stored) == HASH_LENGTH:
            return Address("", "", f"unknown:{stored}"), stored
        address = addresses.parse(entry.email)
        return address, self.tokens.address_hash(address.key)

    def _as_far_as_readable(self, entry: Entry, address: Address, address_hash: str) -> Person:
        try:
            chosen, past = self._choices(entry), self._past(entry)
            agreed = self._confirmed_at(entry.confirmed_at) if entry.confirmed_at else None
        except ValueError:
            chosen, past, agreed = self._usual(), Past(), None
        return Person(address, address_hash, entry.status, chosen, agreed, past)

    def _usual(self) -> Choices:
        return Choices(choices.usual(self.site), (), self.site.timezone, self.site.language)

    def _choices(self, entry: Entry) -> Choices:
        own = entry.own
        zone = entry.timezone or self.site.timezone
        if zone not in self.zones:
            if not own:
                zone = self.site.timezone
            else:
                raise ValueError(BAD_TIMEZONE)
        spoken = own.get("language") or self.site.language
        if not _LANGUAGE.fullmatch(spoken):
            raise ValueError(BAD_LANGUAGE)
        named = own.get("topics", "").replace(";", ",").split(",") if own else self._topics(entry.tags)
        return Choices(
            cadence=choices.cadence(own.get("cadence", ""), self.site),
            topics=choices.topics(named, self.site),
            timezone=zone,
            language=spoken,
        )

    def _topics(self, tags: Iterable[str]) -> list[str]:
        """Return the topics that go by the same name as a tag."""
        known = {
            name.casefold(): topic.slug for topic in self.site.topics for name in (topic.slug, topic.name)
        }
        return [known[tag.casefold()] for tag in tags if tag.casefold() in known]

    def _confirmed_at(self, given: str) -> datetime:
        moment = _moment(given, "confirmed_at") or self.now
        if moment > self.now:
            raise ValueError(LATER)
        return moment

    def _past(self, entry: Entry) -> Past:
        own = entry.own
        if self.peer.name != "blog":
            return Past()
        return Past(
            created_at=_moment(own.get("created_at", ""), "created_at"),
            left_at=_moment(own.get("left_at", ""), "left_at"),
            paused_until=_moment(own.get("paused_until", ""), "paused_until"),
            record=_record(own.get("consent", "")),
            is_ours=True,
        )


def import_rows(
    session: Session,
    tokens: Tokens,
    site: Site,
    rows: Iterable[Mapping[str, str]],
    evidence: str,
    now: datetime,
    peer: Peer | None = None,
) -> ImportResult:
    """Take over a list in one go; `evidence` says where its people opted in and goes into the record.

    New and pending addresses become active. Whoever left, bounced or complained there is not mailed here
    either. Active ones otherwise stay as they are; whoever left, bounced, complained or was erased stays out.
    """
    reading = Reading(tokens, site, peer or peers.named("plain"), now)
    source = Source(reading.peer.name, evidence)
    for people in reading.batches(enumerate(rows, FIRST_LINE)):
        store(session, reading, people, source)
    return reading.result


def store(session: Session, reading: Reading, people: list[Person], source: Source) -> None:
    """Store some people of a list, and count what became of them."""
    for person, fate in admission.admit(session, people, source, reading.now):
        reading.result.count(person, fate)


def _moment(given: str, column: str) -> datetime | None:
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{column} {BAD_DATE}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _record(given: str) -> list[dict[str, Any]]:
    try:
        record = json.loads(given or "[]")
    except ValueError:
        raise ValueError(BAD_CONSENT) from None
    if not isinstance(record, list) or not all(isinstance(event, dict) for event in record):
        raise ValueError(BAD_CONSENT)
    return record
