"""What a sender takes for a short list and for a long one: memory, and how long it takes the next in hand.

    make bench        or    python -m benchmarks.scaling --recipients 10000 1000000

Goals: 150 MB at most, however long the list, and 20 ms for taking the next hundred in hand, 99 of 100 times,
in the first, the middle and the last fifth of an issue. Each list is sent whole, to smtp-sink, by a process
of its own; nobody tidies the database up meanwhile but itself.
"""

import argparse
import multiprocessing
import resource
import statistics
import threading
import time
from typing import Any

from sqlalchemy import BigInteger, DateTime, String, literal, select, text

from benchmarks.findings import Finding, tell
from benchmarks.search import databases
from benchmarks.sending import TEMPLATE, fill, sink
from blog import clock, migrate
from blog.db import Database
from blog.delivery import ledger
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay
from blog.delivery.states import Owner, Policy

#: Fifths of an issue: their claims are looked at apart.
PARTS = {"first": 0, "middle": 2, "last": 4}
NUMBERS = {
    True: "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many) "
    "SELECT n AS id, printf('%032d', n) AS public_id, 'reader' || n || '@example.org' AS address, "
    "printf('%064d', n) AS address_hash FROM numbers",
    False: "SELECT n AS id, lpad(n::text, 32, '0') AS public_id, 'reader' || n || '@example.org' AS address, "
    "lpad(n::text, 64, '0') AS address_hash FROM generate_series(1, CAST(:many AS integer)) AS n",
}


def plan(database: Database, recipients: int) -> int:
    """Plan a mailing for so many invented readers; return its number."""
    now = clock.now()
    listed = text(NUMBERS[database.is_sqlite]).bindparams(many=recipients)
    people = listed.columns(id=BigInteger, public_id=String, address=String, address_hash=String).subquery()
    with database.transaction() as session:
        mailing = ledger.open_mailing(session, "digest", "bounces@example.org", now)
        variant = ledger.add_variant(session, mailing, "all", TEMPLATE)
        rows = select(*people.c, literal(variant), literal(now, DateTime(timezone=True)))
        ledger.plan(session, mailing, rows, "news.example.org", now)
    return mailing


def send(url: str, port: int, connections: int, told: Any) -> None:
    """Send what is due; tell the seconds, the megabytes, and how long each claim took."""
    database, took, claim = Database(url), [], ledger.claim

    def timed(*arguments: Any) -> Any:
        started = time.perf_counter()
        found = claim(*arguments)
        if found[0]:
            took.append((time.perf_counter() - started) * 1000)
        return found

    ledger.claim = timed
    relay, owner = Relay("127.0.0.1", port, "bench.example.org"), Owner("bench/0", f"bench/0/{time.time()}")
    sending = Sending(database, owner, relay, connections, Policy.HOLD, fill, clock.now)
    started = time.perf_counter()
    report = send_due(sending, threading.Event(), patience=3)
    seconds = time.perf_counter() - started
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told.put((dict(report.results), seconds, megabytes, took))
    database.dispose()


def measure(name: str, database: Database, port: int, recipients: int, connections: int) -> None:
    """Send one list whole, and print what that took."""
    mailing = plan(database, recipients)
    context = multiprocessing.get_context("spawn")
    told = context.Queue()  # type: ignore[var-annotated]
    url = database.url.render_as_string(hide_password=False)
    process = context.Process(target=send, args=(url, port, connections, told))
    process.start()
    results, seconds, megabytes, took = told.get()
    process.join()
    assert results == {"accepted": recipients}, results
    with database.transaction() as session:
        assert ledger.finish(session, clock.now()) == [mailing]
    fifth = len(took) // 5
    print(f"{name}: {recipients:,} recipients at {recipients / seconds:.0f}/s", flush=True)
    tell(Finding(f"memory of a sender, {recipients:,} recipients, {name}", megabytes, "MB", at_most=150))
    for part, at in PARTS.items():
        some = sorted(took[fifth * at : fifth * (at + 1)])
        what = f"claim of a hundred of {recipients:,}, {part} fifth, p99, {name}"
        half = "the median", statistics.median(some)
        tell(Finding(what, some[len(some) * 99 // 100], "ms", *half, at_most=20))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--recipients", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    with databases() as found, sink() as port:
        for name, database in found.items():
            migrate.upgrade(database)
            for recipients in options.recipients:
                measure(name, database, port, recipients, options.connections)


if __name__ == "__main__":
    main()
