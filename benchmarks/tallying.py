"""What it costs a message that the database keeps how many deliveries are in which state.

    make bench        or    python -m benchmarks.tallying --recipients 20000

One worker's statements for a whole mailing, without a relay: claims of a hundred, and hand-overs and results
of eight at a time, which is fewer than a busy sender has in one commit and so dearer. In turn with the
triggers and without them: processor time of this process and of PostgreSQL's together, the quickest of the
rounds each. The limit is no tally at all.
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from benchmarks.findings import Finding, tell
from benchmarks.scaling import plan
from benchmarks.search import databases
from blog import clock, migrate
from blog.db import Database
from blog.delivery import ledger, recording
from blog.delivery.models import DeliveryState
from blog.delivery.states import Claim, Owner, Result

AT_ONCE, TOGETHER = 100, 8


@contextmanager
def without_tallies(database: Database) -> Iterator[None]:
    """Take the triggers away for a while."""
    migrate.downgrade(database, "0015")
    yield
    migrate.upgrade(database)


def through(database: Database, recipients: int) -> float:
    """Take a mailing through the ledger; return the microseconds of processor time a message."""
    mailing, owner = plan(database, recipients), Owner("bench/0", f"bench/0/{uuid4()}")
    before = _spent(database)
    while claims := _claim(database, mailing, owner):
        earlier: list[Claim] = []
        for start in range(0, len(claims) + TOGETHER, TOGETHER):
            now = claims[start : start + TOGETHER]
            accepted = [Result(claim.id, DeliveryState.ACCEPTED, reply="250 2.0.0 Ok") for claim in earlier]
            with database.transaction() as session:
                recording.record(session, owner, accepted, [claim.id for claim in now], clock.now())
            earlier = now
    return (_spent(database) - before) / recipients * 1e6


def _claim(database: Database, mailing: int, owner: Owner) -> list[Claim]:
    with database.transaction() as session:
        return ledger.claim(session, mailing, owner, AT_ONCE, clock.now())[0]


def _spent(database: Database) -> float:
    if database.is_sqlite:
        return time.process_time()
    with database.reading() as session:
        server = session.scalar(text("SELECT pg_backend_pid()"))
    ticks = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[11:13]
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def measure(name: str, database: Database, recipients: int, rounds: int) -> None:
    """Alternate, and tell."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        took[True].append(through(database, recipients))
        with without_tallies(database):
            took[False].append(through(database, recipients))
    what = f"ledger's work of a message with tallies kept, {name}"
    tell(Finding(what, min(took[True]), "µs", "without", min(took[False]), at_most=1.1, of_peer=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with databases() as found:
        for name, database in found.items():
            migrate.upgrade(database)
            through(database, AT_ONCE)
            measure(name, database, options.recipients, options.rounds)


if __name__ == "__main__":
    main()
