"""How long it takes to plan an issue for a great many subscribers, and how long others wait meanwhile.

    make bench        or    python -m benchmarks.planning --subscribers 1000000

Goals, for a million subscribers of twenty topics: 30 seconds; nobody who writes beside waits longer than half
a second; taking the next hundred deliveries lasts 20 ms (99 of 100 times) whether few, half or nearly all of
the issue has been sent; and the planner's memory does not grow with the list. Planned is by
`blog digest run`, twice: a first issue, and one for people who have had the first. Beside it a process of its
own stores a row and waits ten milliseconds, again and again, as sign-ups do. At the same three fills the
account of the issue is told (`blog digest status`), beside counting its rows.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from benchmarks.findings import Finding, tell
from benchmarks.load import command, writers_beside
from benchmarks.search import databases
from blog import clock, migrate
from blog.db import Database
from blog.delivery import balance, ledger
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.delivery.states import Owner
from tests.journeys.installation import Installation
from tests.multitude import Maker

TOPICS, FIRST_ARTICLES = 20, 30
AT_ONCE, CLAIMS = 100, 100


def fill(database: Database, many: int) -> None:
    """Store so many active readers, and have the database know that it has them."""
    Maker(database).people(many, TOPICS)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def articles(site: Installation, first: int, last: int) -> None:
    """Write articles, two topics each, and publish them."""
    for number in range(first, last):
        topics = [f"topic-{number % TOPICS:02}", f"topic-{(number * 7 + 3) % TOPICS:02}"]
        day = clock.now().isoformat()
        site.write(f"article-{number:03}", title=f"Article {number}", date=day, topics=topics)
    command(site, "sync")


def claims(database: Database, issue: int) -> tuple[float, float]:
    """Return the median and the 99th percentile, in milliseconds, of taking the next hundred."""
    owner, took = Owner("bench/0", f"bench/0/{time.monotonic()}"), []
    for _ in range(CLAIMS):
        started = time.perf_counter()
        with database.transaction() as session:
            taken, _ = ledger.claim(session, issue, owner, AT_ONCE, clock.now())
        took.append((time.perf_counter() - started) * 1000)
        assert len(taken) == AT_ONCE
    return statistics.median(took), sorted(took)[CLAIMS * 99 // 100]


def accounts(database: Database, issue: int) -> tuple[float, float]:
    """Return how many milliseconds it takes to tell an issue's account, and to count its rows instead."""

    def took(ask: Callable[[Session, int], object]) -> float:
        with database.reading() as session:
            started = time.perf_counter()
            ask(session, issue)
            return (time.perf_counter() - started) * 1000

    # The quickest of three: the first one also builds its statement.
    return min(took(balance.states) for _ in range(3)), min(took(balance.recount) for _ in range(3))


def nearly_done(database: Database, issue: int, left: int) -> None:
    """Have all but the last deliveries of an issue accepted.

    Then tidied up, as PostgreSQL does by itself within a minute: no sender moves so many rows in one
    transaction, and whoever claims right behind that has to pass them all.
    """
    with database.transaction() as session:
        last = session.scalar(
            text("SELECT max(id) FROM deliveries WHERE mailing_id = :issue"), {"issue": issue}
        )
        session.execute(
            update(Delivery)
            .where(Delivery.mailing_id == issue, Delivery.id <= last - left)
            .values(state=DeliveryState.ACCEPTED, lease_until=None)
        )
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE deliveries")


def measure(name: str, database: Database, many: int) -> None:
    """Plan twice on one database, and claim at three fills."""
    with tempfile.TemporaryDirectory(prefix="planning-") as kept:
        url = database.url.render_as_string(hide_password=False)
        site = Installation(Path(kept), url, 25, 8000)
        articles(site, 0, FIRST_ARTICLES)
        fill(database, many)
        for issue in ("first issue", "second issue"):
            with writers_beside(url) as waits:
                seconds, megabytes, _ = command(site, "digest", "run", "--cadence", "weekly")
            who = f"{many:,} subscribers, {issue}, {name}"
            tell(Finding(f"planning for {who}", seconds, "s", at_most=30))
            tell(Finding(f"memory of planning for {who}", megabytes, "MB", at_most=150))
            tell(Finding("wait of who writes beside, at most", max(waits) * 1000, "ms", at_most=500))
            with database.reading() as session:
                number = session.scalar(text("SELECT max(id) FROM mailings"))
            for fill_, left in (("beginning", many), ("middle", many // 2), ("end", 2 * AT_ONCE * CLAIMS)):
                if left < many:
                    nearly_done(database, number, left)
                account, counting = accounts(database, number)
                median, p99 = claims(database, number)
                of = f"claim of {AT_ONCE} at the {fill_}, p99, {name}"
                tell(Finding(of, p99, "ms", "the median", median, at_most=20))
                told = f"account of the issue at the {fill_}, {name}"
                tell(Finding(told, account, "ms", "counting its rows", counting))
            _accept_all(database, number)
            articles(site, FIRST_ARTICLES, FIRST_ARTICLES + 10)


def _accept_all(database: Database, issue: int) -> None:
    with database.transaction() as session:
        done = {"state": DeliveryState.ACCEPTED, "lease_until": None}
        session.execute(update(Delivery).where(Delivery.mailing_id == issue).values(**done))
        session.execute(update(Mailing).where(Mailing.id == issue).values(state=MailingState.DONE))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--subscribers", type=int, default=100_000)
    options = parser.parse_args()
    with databases() as found:
        for name, database in found.items():
            migrate.upgrade(database)
            measure(name, database, options.subscribers)


if __name__ == "__main__":
    main()
