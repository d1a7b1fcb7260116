"""The states of a delivery, what may follow what, and the values that pass between ledger and sender."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from blog.delivery.models import DeliveryState

LEASE = timedelta(minutes=15)
#: Before every due time: asking for later ones has SQLite choose the index of what is due.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PLANNED, DEFERRED = DeliveryState.PLANNED, DeliveryState.DEFERRED
CLAIMED, HANDING_OVER = DeliveryState.CLAIMED, DeliveryState.HANDING_OVER

#: A place in the order of claims: when a delivery is due, and its number.
Place = tuple[datetime, int]
BEGINNING: Place = (LONG_AGO, 0)

#: What may follow what. A state with no successor is final; *uncertain* is left by policy or by a person.
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    PLANNED: frozenset({CLAIMED, DeliveryState.SKIPPED}),
    DEFERRED: frozenset({CLAIMED, DeliveryState.SKIPPED}),
    CLAIMED: frozenset(
        {HANDING_OVER, PLANNED, DEFERRED, DeliveryState.SKIPPED, DeliveryState.BOUNCED, DeliveryState.FAILED}
    ),
    HANDING_OVER: frozenset(
        {DeliveryState.ACCEPTED, PLANNED, DEFERRED, DeliveryState.FAILED, DeliveryState.UNCERTAIN}
    ),
    DeliveryState.UNCERTAIN: frozenset(
        {PLANNED, DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.BOUNCED}
    ),
    # What the relay took may come back later: see blog/bounces.
    DeliveryState.ACCEPTED: frozenset({DeliveryState.BOUNCED, DeliveryState.FAILED}),
    DeliveryState.SKIPPED: frozenset(),
    DeliveryState.BOUNCED: frozenset(),
    # Only what was refused because of us, when somebody has the mailing go on.
    DeliveryState.FAILED: frozenset({PLANNED}),
}
OPEN = (PLANNED, DEFERRED, CLAIMED, HANDING_OVER)
#: States that count as "this recipient has had it, or may have": the next issue starts after them.
COVERED = (*OPEN, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)


class Policy(StrEnum):
    """What to do with a delivery whose fate is unknown."""

    HOLD = "hold"
    RESEND = "resend"


class Fenced(Exception):
    """Our lease was over and another worker has taken the row: stop, the row is theirs."""


@dataclass(frozen=True)
class Owner:
    """One run of one worker: `slot` is its place (host and number), `token` this run; the token fences."""

    slot: str
    token: str


class Claim(NamedTuple):
    """What the sender needs of a claimed delivery."""

    id: int
    mailing_id: int
    variant_id: int
    recipient_id: int
    public_id: str
    address: str
    message_id: str
    attempts: int
    unknowns: int
    next_at: datetime


class Result(NamedTuple):
    """What became of one hand-over: the state to record, why, and the relay's words."""

    delivery_id: int
    state: DeliveryState
    reason: str | None = None
    reply: str = ""
    next_at: datetime | None = None
    bad_address: bool = False
    our_fault: bool = False
    unknown: bool = False
    slower: bool = False
    gave_up: bool = False


@dataclass(frozen=True)
class Balance:
    """The count of a mailing's deliveries: `eligible` is always the sum of the others."""

    state: str
    eligible: int
    accepted: int
    skipped: int
    bounced: int
    failed: int
    uncertain: int
    pending: int


@dataclass(frozen=True)
class Progress:
    """How far a mailing is: its balance, how fast it goes, and when it will be through at that pace.

    `per_second` counts what was settled within the last minute; `later` are those whose time has not come:
    put off by the relay, or waiting for their own morning (a hundred thousand, where there are more); `due`
    are the other pending ones, and where both are that many, all that are pending but for `later`.
    """

    balance: Balance
    per_second: float
    seconds_left: float | None
    due: int
    later: int
    next_try_at: datetime | None
