"""The desk where connections hand in results and ask leave for the next message: one commit for all.

Whatever is handed in until the commit begins goes into it (group commit), so that K connections share the
cost of one transaction and one fdatasync.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from blog.db import Database
from blog.delivery import ledger, recording, witness
from blog.delivery.models import DeliveryState
from blog.delivery.states import Fenced, Owner, Result
from blog.delivery.waiting import Decided, until
from blog.delivery.witness import Witness
from blog.errors import Busy

RENEW_SECONDS = 60.0
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)

log = structlog.get_logger(__name__)


@dataclass
class Slip:
    """One connection's results and its next intent, and whether leave was given."""

    results: Sequence[Result]
    intent: int | None
    untouched: int | None
    granted: bool = False


class Desk:
    """Commits slips in groups: all that have been handed in when `gather` is called."""

    def __init__(
        self,
        database: Database,
        owner: Owner,
        clock: Callable[[], datetime],
        notes: Witness | None = None,
    ) -> None:
        self._database = database
        self._notes = notes
        self._owner = owner
        self._clock = clock
        self._slips: list[Slip] = []
        self._renewed = time.monotonic()
        self.results: dict[str, int] = {}

    async def hand_in(
        self, results: Sequence[Result], intent: int | None = None, untouched: int | None = None
    ) -> bool:
        """Record `results`, give `untouched` back, ask leave for `intent`; returns once that is durable."""
        slip = Slip(results, intent, untouched)
        self._slips.append(slip)
        await until(Decided())
        return slip.granted

    def gather(self) -> Callable[[], None]:
        """Take what has been handed in; return what commits it, on whatever thread."""
        slips, self._slips = self._slips, []
        return lambda: self._decide(slips)

    def _decide(self, slips: list[Slip]) -> None:
        """Commit these slips; a fault of our own is raised, and nothing more may leave then."""
        try:
            self._persist(lambda: self._commit(slips))
        except Fenced:
            for slip in slips:
                self._commit_alone(slip)

    def keep_leases(self) -> None:
        """Extend, once a minute, the leases of all that is in hand."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._persist(self._renew)
            self._renewed = time.monotonic()

    def _commit_alone(self, slip: Slip) -> None:
        try:
            self._persist(lambda: self._commit([slip]))
        except Fenced as error:
            log.warning("delivery.fenced", why=str(error))
            slip.granted = False
            self._persist(lambda: self._look_back(slip))

    def _look_back(self, slip: Slip) -> None:
        accepted = [result.delivery_id for result in slip.results if result.state == DeliveryState.ACCEPTED]
        with self._database.transaction() as session:
            witness.halt_if_forgotten(session, accepted, self._clock())

    def _commit(self, slips: list[Slip]) -> None:
        results = [result for slip in slips for result in slip.results]
        intents = [slip.intent for slip in slips if slip.intent is not None]
        with self._database.transaction() as session:
            granted = recording.record(session, self._owner, results, intents, self._clock())
            untouched = [slip.untouched for slip in slips if slip.untouched is not None]
            if untouched:
                ledger.release(session, self._owner, untouched, self._clock())
        if self._notes:
            self._notes.note(results)
        for slip in slips:
            slip.granted = slip.intent in granted
        for result in results:
            self.results[result.state] = self.results.get(result.state, 0) + 1

    def _renew(self) -> None:
        with self._database.transaction() as session:
            ledger.renew(session, self._owner, self._clock())

    def _persist(self, action: Callable[[], None]) -> None:
        """Repeat a transaction until the database takes it: the outcome is known only here."""
        for attempt in range(1_000_000):
            try:
                return action()
            except (OperationalError, InterfaceError, InternalError, PoolTimeout, Busy) as error:
                if isinstance(error, InternalError) and not error.connection_invalidated:
                    raise  # only PostgreSQL's end of a transaction that we slept through is like an outage
                delay = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
                log.warning("delivery.database_waits", error=type(error).__name__, seconds=delay)
                time.sleep(delay)
        raise RuntimeError("the database took nothing for a very long time")
