"""Where a sender's deliveries come from: claimed in small lots, as pace and each mailing's health allow."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from blog.db import Database
from blog.delivery import ledger, pacing, quality, witness
from blog.delivery.pace import Limits
from blog.delivery.quality import Bars
from blog.delivery.signing import Sign
from blog.delivery.smtp import Relay
from blog.delivery.states import BEGINNING, Claim, Owner, Place, Policy
from blog.delivery.verp import ReturnPath
from blog.errors import Busy

CLAIM_AT_ONCE = 100
#: Much of what a claim costs is the same for one row as for many: a lot that was gone within so many seconds
#: is followed by one twice as large.
SOON_GONE, MOST_AT_ONCE = 0.5, 400
#: What is to be put off is taken in larger lots, so that those behind it need not wait for long.
PUT_OFF_AT_ONCE = 2000
#: What falls due within so many seconds is waited for with the connections open.
WORTH_WAITING = 2.0
LOOK_AGAIN = 0.02
#: After the database refused a claim, or had nothing: the other connections need not ask the same one by one.
CLAIM_AGAIN, NOTHING_SECONDS = 1.0, 0.1
Personalise = Callable[[Claim], Mapping[str, bytes]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sending:
    """What a sender needs: where rows are, who it is, where mail goes, and what fills the holes.

    `returns` names each delivery, for what comes back; `sign` makes signatures; `limits`, `bars` hold back.
    """

    database: Database
    owner: Owner
    relay: Relay
    connections: int
    policy: Policy
    personalise: Personalise
    clock: Callable[[], datetime]
    returns: ReturnPath | None = None
    sign: Sign | None = None
    notes: witness.Witness | None = None
    limits: Limits = field(default_factory=Limits)
    bars: Bars = field(default_factory=Bars)
    worth_waiting: float = WORTH_WAITING


class Source:
    """Hands out claimed deliveries, claiming more when the last are gone."""

    def __init__(self, sending: Sending, stop: threading.Event) -> None:
        self._sending = sending
        self._stop = stop
        self._claims: deque[Claim] = deque()
        self._soon: float | None = None
        self._again_at = 0.0
        self._lot = self._looked_through = CLAIM_AT_ONCE
        self._lot_at = 0.0
        self._reached: dict[int, Place] = {}

    def next(self) -> Claim | None:
        """Return a claimed delivery; None when nothing may go now or we are to stop."""
        if self._stop.is_set():
            return None
        if not self._claims:
            self._claims.extend(self._claim())
        return self._claims.popleft() if self._claims else None

    def soon(self) -> float | None:
        """Return in how many seconds there will be more, after none came; None: not worth waiting for."""
        return None if self._stop.is_set() else self._soon

    def look_again(self) -> None:
        """Forget that there was nothing: a row may have been given back."""
        self._again_at = 0.0

    def close(self) -> None:
        """Release what was claimed and not begun."""
        self._release(list(self._claims))

    def give_back(self, mailing_id: int) -> None:
        """Release what was claimed of a mailing: it may be paused, and each try would cost a connection."""
        self._release([claim for claim in self._claims if claim.mailing_id == mailing_id])

    def give_back_domain(self, domain: str) -> None:
        """Release what was claimed for a domain that has asked us to slow down."""
        self._release([claim for claim in self._claims if pacing.domain_of(claim.address) == domain])

    def _release(self, claims: list[Claim]) -> None:
        self._reached.clear()
        self.look_again()
        with self._sending.database.transaction() as session:
            ids = [claim.id for claim in claims]
            ledger.release(session, self._sending.owner, ids, self._sending.clock())
        released = set(ids)
        self._claims = deque(claim for claim in self._claims if claim.id not in released)

    def _claim(self) -> list[Claim]:
        if time.monotonic() < self._again_at:
            return []
        sent = witness.last_sent(self._sending.notes.folder) if self._sending.notes else []
        try:
            with self._sending.database.transaction() as session:
                if not witness.halt_if_restored(session, sent, self._sending.clock()):
                    claims = self._claim_oldest(session)
                    if not claims and self._soon is None:
                        self._again_at = time.monotonic() + NOTHING_SECONDS
                    return claims
        except (SQLAlchemyError, Busy) as error:
            log.warning("delivery.claim_waits", error=type(error).__name__)
        self._again_at = time.monotonic() + CLAIM_AGAIN
        self._reached.clear()
        return []

    def _claim_oldest(self, session: Session) -> list[Claim]:
        now, self._soon = self._sending.clock(), None
        sending = []
        for mailing_id in ledger.sending(session):
            if not quality.may_go_on(session, mailing_id, self._sending.bars, now):
                continue
            sending.append(mailing_id)
            claims, put_off = self._claim_of(session, mailing_id, now)
            if put_off and not claims:
                # There may be others behind them; looking on here would hold the database meanwhile.
                self._soon = 0.0
                return []
            if claims:
                return claims
        self._soon = self._next_moment(session, sending, now)
        return []

    def _claim_of(self, session: Session, mailing_id: int, now: datetime) -> tuple[list[Claim], bool]:
        """Return what may go of a mailing, and whether some of it has been put off."""
        owner = self._sending.owner
        while True:
            reached = self._reached.pop(mailing_id, BEGINNING)
            claims, skipped = ledger.claim(session, mailing_id, owner, self._looked_through, now, reached)
            if claims:
                granted = pacing.take(session, owner, self._sending.limits, claims, now, self._lot)
                self._size_next(len(claims), len(granted))
                if len(granted) == len(claims):
                    self._reached[mailing_id] = max((claim.next_at, claim.id) for claim in claims)
                return granted, len(granted) < len(claims)
            # Suppressed addresses can empty a claim while more are due behind them, and before the place that
            # has been reached there may be what somebody has given back.
            if not skipped and reached == BEGINNING:
                return [], False

    def _size_next(self, claimed: int, granted: int) -> None:
        if not granted:
            self._looked_through = min(self._looked_through * 4, PUT_OFF_AT_ONCE)
            return
        now, before = time.monotonic(), self._lot_at
        grows = claimed == granted and now - before < SOON_GONE
        self._lot = min(self._lot * 2, MOST_AT_ONCE) if grows else CLAIM_AT_ONCE
        self._looked_through, self._lot_at = self._lot, now

    def _next_moment(self, session: Session, sending: list[int], now: datetime) -> float | None:
        if any(quality.is_about_to_be_judged(session, mailing_id) for mailing_id in sending):
            return LOOK_AGAIN
        if not sending or not pacing.applies(session, self._sending.limits, now):
            return None
        moments = [pacing.next_due(session, mailing_id, now) for mailing_id in sending]
        soonest = min((moment for moment in moments if moment), default=None)
        seconds = (soonest - now).total_seconds() if soonest else self._sending.worth_waiting
        return seconds if seconds < self._sending.worth_waiting else None
