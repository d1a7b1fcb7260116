"""How fast a digest is handed to a relay, with the crash guarantee on, beside the obvious way to send it.

    make bench        or    python -m benchmarks.sending --recipients 3000

The peer is Flask-Mail's own loop over one kept-open connection, as its documentation shows it, without any
record of what was sent. Both speak to the same relay process on this machine, in turns; only the ratio is
worth keeping. The relay is written in Python and shares the cores, so it is a limit on both.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from flask_mail import Mail, Message

from blog import clock, migrate
from blog.db import Database
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay
from blog.delivery.states import Claim, Owner, Policy
from tests.crash.killing import relay_process
from tests.mailings import make_mailing

TEXT = "A line of a digest, about as long as lines of a digest are.\r\n" * 120
TEMPLATE = (
    "From: News <news@example.org>\r\nTo: \0to\0\r\nMessage-ID: \0message_id\0\r\nSubject: Weekly digest\r\n"
    f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}"
).encode()


def ours(port: int, recipients: int, folder: Path) -> float:
    """Return deliveries a second: claimed, handed over and recorded durably on SQLite."""
    database = Database(f"sqlite:///{folder / 'bench.db'}")
    migrate.upgrade(database)
    with database.transaction() as session:
        make_mailing(session, recipients, clock.now(), TEMPLATE)
    relay = Relay("127.0.0.1", port, "bench.example.org")
    owner = Owner("bench/0", "bench/0/run")
    started = time.perf_counter()
    report = send_due(
        Sending(database, owner, relay, 4, Policy.HOLD, _fill, clock.now), threading.Event(), patience=3
    )
    seconds = time.perf_counter() - started
    assert report.results == {"accepted": recipients}, report
    database.dispose()
    return recipients / seconds


def flask_mail(port: int, recipients: int) -> float:
    """Return messages a second of Flask-Mail's loop."""
    app = Flask("bench")
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_DEFAULT_SENDER="news@example.org")
    mail = Mail(app)
    started = time.perf_counter()
    with app.app_context(), mail.connect() as connection:
        for number in range(recipients):
            connection.send(Message("Weekly digest", [f"reader{number}@example.org"], body=TEXT))
    return recipients / (time.perf_counter() - started)


def _fill(claim: Claim) -> Mapping[str, bytes]:
    return {"to": claim.address.encode(), "message_id": claim.message_id.encode()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--recipients", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    mine, theirs = [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            with relay_process(Path(folder) / "log", seed=1, delay=0.0) as port:
                mine.append(ours(port, options.recipients, Path(folder)))
                theirs.append(flask_mail(port, options.recipients // 4))
            print(
                f"ours {mine[-1]:8.0f}/s   Flask-Mail {theirs[-1]:8.0f}/s   ratio {mine[-1] / theirs[-1]:.1f}"
            )
    print(f"median ratio {statistics.median(m / t for m, t in zip(mine, theirs, strict=True)):.1f}")


if __name__ == "__main__":
    main()
