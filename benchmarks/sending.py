"""How fast a digest is handed to a relay, with the crash guarantee on, beside the obvious way and the limit.

    make bench        or    python -m benchmarks.sending --recipients 10000

All speak in turns to the same `smtp-sink` (Debian's package `postfix`), which shares the cores with them:

- ours, on SQLite and on PostgreSQL: claimed, handed over, and each step recorded durably before the next;
- Flask-Mail's own loop over one kept-open connection, as its documentation shows it, without any record;
- `smtp-source`, Postfix's own generator in C, which reads nothing from a database and records nothing: what
  the sink can take.

Without smtp-sink a relay written in Python stands in for it, which is a limit on all. Each round gives ratios
of its own, and the median of these is what can be compared between machines. Where other work shares the
cores, look at the microseconds that our own process has used for each message. --dkim sends signed ones, too.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from flask_mail import Mail, Message

from benchmarks.findings import Finding, tell
from benchmarks.search import databases
from blog import clock, migrate
from blog.db import Database
from blog.delivery import dkim, ledger
from blog.delivery.sender import Sending, send_due
from blog.delivery.signing import Sign
from blog.delivery.smtp import Relay
from blog.delivery.states import Claim, Owner, Policy
from tests.crash.killing import relay_process
from tests.journeys.installation import free_port
from tests.mailings import make_mailing

TEXT = "A line of a digest, about as long as lines of a digest are.\r\n" * 120
TEMPLATE = (
    "From: News <news@example.org>\r\nTo: \0to\0\r\nMessage-ID: \0message_id\0\r\nSubject: Weekly digest\r\n"
    f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}"
).encode()
#: Flask-Mail is slower, and each of its messages is like the others.
PEER_SHARE = 5
SOURCE_SESSIONS = 8


@dataclass(frozen=True)
class Rate:
    """Messages a second, and the microseconds of a processor that our process used for each."""

    per_second: float
    used: float = 0.0

    def __str__(self) -> str:
        return f"{self.per_second:6.0f}/s" + (f" {self.used:4.0f} µs" if self.used else "")


def ours(database: Database, port: int, recipients: int, connections: int, sign: Sign | None = None) -> Rate:
    """Return how fast deliveries are claimed, handed over and recorded durably."""
    with database.transaction() as session:
        make_mailing(session, recipients, clock.now(), TEMPLATE)
    relay = Relay("127.0.0.1", port, "bench.example.org")
    owner = Owner("bench/0", f"bench/0/{time.monotonic()}")
    sending = Sending(database, owner, relay, connections, Policy.HOLD, fill, clock.now, sign=sign)
    started, used = time.perf_counter(), time.process_time()
    report = send_due(sending, threading.Event(), patience=3)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    assert report.results == {"accepted": recipients}, report
    with database.transaction() as session:
        ledger.finish(session, clock.now())
    return Rate(recipients / seconds, used / recipients * 1e6)


def flask_mail(port: int, recipients: int) -> Rate:
    """Return how fast Flask-Mail's loop is."""
    app = Flask("bench")
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_DEFAULT_SENDER="news@example.org")
    mail = Mail(app)
    started, used = time.perf_counter(), time.process_time()
    with app.app_context(), mail.connect() as connection:
        for number in range(recipients):
            connection.send(Message("Weekly digest", [f"reader{number}@example.org"], body=TEXT))
    seconds, used = time.perf_counter() - started, time.process_time() - used
    return Rate(recipients / seconds, used / recipients * 1e6)


def smtp_source(port: int, messages: int) -> Rate:
    """Return how fast Postfix's own generator is."""
    command = ["smtp-source", "-s", str(SOURCE_SESSIONS), "-m", str(messages), "-l", str(len(TEMPLATE))]
    started = time.perf_counter()
    subprocess.run(
        [*command, "-f", "news@example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"], check=True
    )
    return Rate(messages / (time.perf_counter() - started))


@contextmanager
def sink() -> Iterator[int]:
    """Run what takes the mail; yield its port."""
    if shutil.which("smtp-sink") is None:
        print("smtp-sink (package `postfix`) is not here: a slower relay, written in Python, stands in")
        with tempfile.TemporaryDirectory() as kept, relay_process(Path(kept) / "log", 1, delay=0.0) as port:
            yield port
        return
    port = free_port()
    with subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "1024"]) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise SystemExit("smtp-sink does not begin to listen")


def fill(claim: Claim) -> Mapping[str, bytes]:
    return {"to": claim.address.encode(), "message_id": claim.message_id.encode()}


def rsa_signer(folder: Path) -> Sign:
    """Return what signs as most do: once, with an RSA key of 2048 bits."""
    key = folder / "s1.pem"
    made = rsa.generate_private_key(65537, 2048)
    key.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return dkim.signer("example.org", (("s1", key),))


def round_of(found: Mapping[str, Database], port: int, options: argparse.Namespace) -> dict[str, Rate]:
    """Have each send in turn."""
    many, connections = options.recipients, options.connections
    rates = {"Flask-Mail": flask_mail(port, many // PEER_SHARE)}
    rates |= {name: ours(database, port, many, connections) for name, database in found.items()}
    if options.dkim:
        with tempfile.TemporaryDirectory() as kept:
            sign = rsa_signer(Path(kept))
        for name, database in found.items():
            rates[f"{name}, signed"] = ours(database, port, many // PEER_SHARE, connections, sign)
    if shutil.which("smtp-source"):
        rates["smtp-source"] = smtp_source(port, many)
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--recipients", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dkim", action="store_true", help="send signed messages as well")
    options = parser.parse_args()
    rounds: dict[str, list[float]] = defaultdict(list)
    with databases() as found, sink() as port:
        for database in found.values():
            migrate.upgrade(database)
        for _ in range(options.rounds):
            rates = round_of(found, port, options)
            print("   ".join(f"{name} {rate}" for name, rate in rates.items()), flush=True)
            for name, rate in rates.items():
                rounds[name].append(rate.per_second)
    medians = {name: statistics.median(several) for name, several in rounds.items()}
    peer = "Flask-Mail", medians["Flask-Mail"]
    for name in found:
        sent = f"deliveries sent and recorded, {name}"
        tell(Finding(sent, medians[name], "/s", *peer, at_least=8, of_peer=True))
        limit = ("smtp-source, 8 sessions", medians["smtp-source"]) if "smtp-source" in medians else ()
        tell(Finding(sent, medians[name], "/s", *limit, at_least=5_000))
        if options.dkim:
            tell(Finding(f"signed with RSA 2048, {name}", medians[f"{name}, signed"], "/s", *peer))


if __name__ == "__main__":
    main()
