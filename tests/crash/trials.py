"""Where workers are started, killed and judged: a relay that outlives them, issues, and an exact audit."""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from blog import clock
from blog.db import Database
from blog.delivery import balance
from blog.delivery.models import (
    IS_WAITING,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    Mailing,
    MailingState,
)
from blog.delivery.states import LEASE, Balance
from tests.crash.hands import Job, do
from tests.crash.killing import relay_process
from tests.mailings import make_mailing

#: Each worker is a fork of one process that has loaded everything, so that it starts in a tenth of a second.
FORKS = multiprocessing.get_context("forkserver")
WORKER_SECONDS = 60.0
ROUNDS, PATIENT_ROUNDS = 40, 3


@dataclass
class Worker:
    """A worker that runs."""

    process: BaseProcess
    pipe: Connection
    token: str

    def hear(self, seconds: float = WORKER_SECONDS) -> Any:
        """Return what the worker says next; None if it died without a word."""
        try:
            return self.pipe.recv() if self.pipe.poll(seconds) else None
        except EOFError:
            return None

    def signal(self, number: int) -> None:
        """Send a signal, if the worker is still there."""
        if self.process.is_alive() and self.process.pid:
            with suppress(ProcessLookupError):  # it has come to its end in this moment
                os.kill(self.process.pid, number)

    def end(self) -> int:
        """Wait for its end; return how it ended: 0, or minus the signal that killed it."""
        self.process.join(WORKER_SECONDS)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            raise AssertionError("a worker hangs")
        self.pipe.close()
        self.process.close()
        return code


@dataclass
class Verdict:
    """What an audit finds; all lists are empty when the promises are kept."""

    planned: int = 0
    accepted: int = 0
    uncertain: int = 0
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.unnamed, *self.unbalanced]


@dataclass
class Field:
    """One database, one relay, and the issues that have been planned on them."""

    database: Database
    job: Job
    log: Path
    issues: dict[int, int] = field(default_factory=dict)
    _told: dict[int, Balance] = field(default_factory=dict)

    def plan(self, recipients: int) -> int:
        """Plan an issue for readers of its own; return its number."""
        name = len(self.issues)
        readers = [f"reader{n}.of{name}@example.org" for n in range(recipients)]
        with self.database.transaction() as session:
            number = make_mailing(session, readers, clock.now())
        self.issues[number] = recipients
        return number

    def start(self, **changes: Any) -> Worker:
        """Start a worker; it has taken its slot by the time this returns."""
        ours, theirs = FORKS.Pipe()
        process = FORKS.Process(target=do, args=(replace(self.job, **changes), theirs), daemon=True)
        process.start()
        theirs.close()
        worker = Worker(process, ours, "")
        worker.token = worker.hear() or ""
        return worker

    def run(self, **changes: Any) -> Any:
        """Have a worker do what is due; return what it says at its end, None if it died."""
        worker = self.start(**changes)
        said = worker.hear()
        worker.end()
        return said

    def open(self, token: str | None = None) -> int:
        """Return how many hand-overs are under way: all, or one worker's."""
        query = select(func.count()).select_from(Delivery).where(Delivery.state == DeliveryState.HANDING_OVER)
        with self.database.reading() as session:
            return session.scalar(query if token is None else query.where(Delivery.owner == token)) or 0

    def waiting(self) -> int:
        """Return how many deliveries have not come to an end."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Delivery).where(_IS_OPEN)) or 0

    def hurry(self) -> None:
        """Have all that waits for a later time fall due now."""
        with self.database.transaction() as session:
            session.execute(
                update(Delivery).where(IS_WAITING).values(next_at=clock.now() - timedelta(seconds=1))
            )

    def finish(self, **changes: Any) -> None:
        """Send until nothing waits any more, whatever the relay does meanwhile."""
        for number in range(ROUNDS):
            if not self.waiting():
                return
            if number == PATIENT_ROUNDS:
                # What a dead worker holds whose slot nobody has taken again is free when its lease is over.
                self.move_clock(2 * LEASE)
            self.hurry()
            said = self.run(**changes)
            assert said, f"the last worker died; see {self.job.folder / 'worker.log'}"
            self._told = said[0]
        raise AssertionError(f"{self.waiting()} deliveries do not come to an end")

    def move_clock(self, by: timedelta) -> None:
        """Have the clock of all workers differ from the real one by so much, from now on."""
        hand = self.job.folder / "clock"
        hand.with_suffix(".new").write_text(str(by.total_seconds()))
        hand.with_suffix(".new").rename(hand)

    def balances_told(self) -> list[str]:
        """Return where the account that the last worker gave is not what the rows say."""
        with self.database.reading() as session:
            return [
                f"issue {number}: told {told}"
                for number, told in self._told.items()
                if told != replace(balance.balance(session, number), state=told.state)  # type: ignore[type-var]
            ]

    def lines(self) -> int:
        """Return how many messages the relay has taken."""
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    def wait_for(self, messages: int, seconds: float = 10.0) -> None:
        """Wait until the relay has taken so many messages."""
        deadline = time.monotonic() + seconds
        while self.lines() < messages and time.monotonic() < deadline:
            time.sleep(0.002)

    def audit(self, only: int | None = None) -> Verdict:
        """Compare what the ledger says with what the relay has: of one issue, or of all."""
        taken: dict[str, Counter[str]] = {}
        for line in self.log.read_text().splitlines() if self.log.exists() else []:
            address, message_id = line.split()
            taken.setdefault(address, Counter())[message_id] += 1
        verdict = Verdict()
        for number, planned in self.issues.items():
            if only in (None, number):
                self._audit(number, planned, taken, verdict)
        return verdict

    def _audit(self, number: int, planned: int, taken: dict[str, Counter[str]], verdict: Verdict) -> None:
        with self.database.reading() as session:
            rows = session.scalars(select(Delivery).where(Delivery.mailing_id == number)).all()
            account = balance.balance(session, number)
            named = {address for address, _ in balance.uncertain(session, number)}
            told = set(
                session.scalars(
                    select(DeliveryEvent.delivery_id).where(
                        DeliveryEvent.mailing_id == number, DeliveryEvent.event.in_(["uncertain", "resent"])
                    )
                )
            )
        for row in rows:
            _judge(row, taken.get(row.address, Counter()), self.job.policy, verdict)
            if (row.state == DeliveryState.UNCERTAIN) != (row.address in named) or (
                row.unknowns and row.id not in told
            ):
                verdict.unnamed.append(f"{row.address}: a doubt that nobody is told of")
        states = Counter(row.state for row in rows)
        assert account is not None
        counted = {name: states[name] for name in _SETTLED}
        if len(rows) != planned or account.eligible != planned or sum(counted.values()) != planned:
            verdict.unbalanced.append(f"issue {number}: planned for {planned}, the balance says {account}")
        if any(getattr(account, name) != count for name, count in counted.items()):
            verdict.unbalanced.append(f"issue {number}: the balance is not what the rows say: {account}")


_SETTLED = ("accepted", "skipped", "bounced", "failed", "uncertain")
_IS_OPEN = Delivery.state.not_in(_SETTLED) & Delivery.mailing_id.in_(
    select(Mailing.id).where(Mailing.state != MailingState.CANCELLED)
)


def _judge(row: Delivery, copies: Counter[str], policy: str, verdict: Verdict) -> None:
    """Judge one reader: what the ledger says of them, and what the relay has for them."""
    number = copies.total()
    verdict.planned += 1
    verdict.accepted += row.state == DeliveryState.ACCEPTED
    verdict.uncertain += row.state == DeliveryState.UNCERTAIN
    verdict.refused += row.state in (DeliveryState.FAILED, DeliveryState.BOUNCED)
    if row.state == DeliveryState.ACCEPTED and not number:
        verdict.lost.append(f"{row.address}: counted as accepted, never sent")
    may_have = row.unknowns + (row.state == DeliveryState.ACCEPTED)
    if number > may_have or (policy == "hold" and number > 1):
        verdict.doubled.append(f"{row.address} ({row.state}, {row.unknowns} unknown): {number} copies")
    if set(copies) - {row.message_id}:
        verdict.doubled.append(f"{row.address}: a copy with another Message-ID")


@contextmanager
def trial(
    database: Database, url: str, folder: Path, policy: str = "hold", connections: int = 1,
    seed: int = 1, faults: float = 0.0, delay: float = 0.0, once: str = "",
) -> Iterator[Field]:  # fmt: skip
    """Open a field with a relay of its own."""
    log = folder / "accepted.log"
    # Not when this module is imported: that process is one for all tests, and others have it load their code.
    FORKS.set_forkserver_preload(["pytest", "tests.crash.hands"])
    with relay_process(log, seed, faults, delay, once) as port:
        yield Field(database, Job(url, folder, port, policy, connections), log)
