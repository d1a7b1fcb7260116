"""A flood of sign-ups beside a digest that is being sent, on both databases, on one machine.

    make bench        or    python -m benchmarks.spike --seconds 20

Goals: 300 sign-ups a second, none lost or failed, 99 of 100 answered in 250 ms, 150 mails a second beside.
Needs `wrk` (Debian's package of this name), which shares the cores with the web server's two processes, the
sender and a relay written in Python. Every sign-up comes from a network of its own with a genuine form, so
that the shield lets it through and all of its work is done.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import load
from benchmarks.findings import Finding, tell
from benchmarks.search import databases
from benchmarks.sending import TEMPLATE
from blog import clock, migrate
from blog.db import Database
from blog.delivery.models import OutboxMail
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay
from blog.delivery.states import Claim, Owner, Policy
from blog.subscribers import shield
from blog.subscribers.models import Subscriber
from tests.crash.killing import relay_process
from tests.journeys.installation import Installation, free_port
from tests.mailings import make_mailing

CONNECTIONS = 8
RECIPIENTS = 40_000


def run(name: str, database: Database, seconds: int, digest: bool) -> None:
    """Measure one database, with a digest beside the flood or without."""
    with tempfile.TemporaryDirectory() as kept, relay_process(Path(kept) / "log", seed=1, delay=0.0) as smtp:
        url = database.url.render_as_string(hide_password=False)
        site = Installation(Path(kept), url, smtp, free_port())
        site.content.mkdir()
        site.extra |= load.OPEN
        before = _signed_up(database)
        script = load.sign_ups(Path(kept), before * 2)
        stop, sent = threading.Event(), [0, 0.0]
        with site.serving(workers=2):
            time.sleep(shield.QUICKEST.total_seconds())
            sender = threading.Thread(target=_send, args=(database, smtp, stop, sent))
            if digest:
                sender.start()
            seen = load.flood(site.port, script, seconds, CONNECTIONS)
            stop.set()
            if digest:
                sender.join()
        _tell(name, seen, _signed_up(database) - before, seconds, sent if digest else None)


def _send(database: Database, port: int, stop: threading.Event, sent: list[float]) -> None:
    relay = Relay("127.0.0.1", port, "bench.example.org")
    owner = Owner("bench/0", f"bench/0/{time.monotonic()}")
    started = time.perf_counter()
    report = send_due(Sending(database, owner, relay, 4, Policy.HOLD, _fill, clock.now), stop, patience=3)
    sent[:] = [sum(report.results.values()), time.perf_counter() - started]


def _fill(claim: Claim) -> Mapping[str, bytes]:
    return {"to": claim.address.encode(), "message_id": claim.message_id.encode()}


def _signed_up(database: Database) -> int:
    with database.reading() as session:
        mails = session.scalar(select(func.count()).select_from(OutboxMail)) or 0
        assert mails == session.scalar(select(func.count()).select_from(Subscriber)), "one mail each"
    return mails


def _tell(name: str, seen: load.Seen, stored: int, seconds: int, sent: list[float] | None) -> None:
    # What was under way when the flood ended is stored and not counted: at most one for each connection.
    assert 0 <= stored - seen.answers + seen.refused <= CONNECTIONS, (stored, seen)
    beside = "beside a digest" if sent else "alone"
    tell(Finding(f"sign-ups {beside}, {name}", stored / seconds, "/s", at_least=300))
    tell(Finding(f"answer to a sign-up {beside}, p99, {name}", seen.p99_ms, "ms", at_most=250))
    tell(
        Finding(f"sign-ups refused or lost {beside}, {name}", seen.refused + seen.broken, "people", at_most=0)
    )
    if sent:
        tell(Finding(f"mails of a digest beside sign-ups, {name}", sent[0] / sent[1], "/s", at_least=150))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with databases() as found:
        for name, database in found.items():
            migrate.upgrade(database)
            with database.transaction() as session:
                make_mailing(session, RECIPIENTS, clock.now(), TEMPLATE)
            for digest in (True, False):
                with suppress(KeyboardInterrupt):
                    run(name, database, options.seconds, digest)


if __name__ == "__main__":
    main()
