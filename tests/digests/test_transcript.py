"""The transcript in `docs/digests.md` is what the commands print: it is run again here, word for word.

With `REWRITE_TRANSCRIPT` set it is written anew instead.
"""

import os
import re
import shlex
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from blog import clock
from blog.delivery import ledger
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay as RelayAddress
from blog.delivery.states import Policy
from blog.digests import dispatch
from blog.settings import ROOT, Settings
from blog.subscribers import choices, consent
from blog.subscribers.consent import Event, Method, Origin
from blog.web.pieces import Services
from tests.commanding import blog
from tests.delivery.test_sender import OWNER
from tests.factories import make_article, make_subscriber
from tests.relay import Script, relay

FRIDAY = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
PAGE = ROOT / "docs" / "digests.md"
FAULTS = {
    "bob@example.org": "rcpt 451",
    "cy@example.org": "rcpt 550 5.1.1 no such user",
    "dee@example.org": "drop after dot, accepted",
}


def people(services: Services) -> None:
    """Take in four weekly readers and a daily one, with their record, and two articles."""
    joined = FRIDAY - timedelta(days=40)
    with services.database.transaction() as session:
        for number, name in enumerate(("ada", "bob", "cy", "dee", "eve"), 1):
            cadence = "daily" if name == "eve" else "weekly"
            email = f"{name}@example.org"
            person = make_subscriber(session, services.tokens, email, cadence=cadence, now=joined)
            person.public_id = f"{number:032x}"
            details = choices.of(person)
            consent.record(session, person.id, Event.CONFIRMED, Method.PAGE, Origin(""), joined, details)
        for hours, slug in ((30, "what-the-queue-remembers"), (80, "a-page-is-a-promise")):
            make_article(session, slug=slug, published_at=FRIDAY - timedelta(hours=hours))


def work(services: Services, faults: dict[str, str]) -> None:
    """Have a worker send what is due, over a relay with faults."""
    with relay(Script(fault=lambda to: faults.get(to, ""))) as server:
        address = RelayAddress("127.0.0.1", server.port, "test")
        fill = dispatch.personalise(services.tokens)
        send_due(
            Sending(services.database, OWNER, address, 1, Policy.HOLD, fill, clock.now),
            threading.Event(),
            patience=4,
        )
    with services.database.transaction() as session:
        ledger.finish(session, clock.now())


@pytest.mark.sqlite  # What is printed does not depend on the database.
def test_the_transcript_in_the_docs_is_what_is_printed(
    services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = FRIDAY
    monkeypatch.setattr(clock, "now", lambda: now)
    people(services)
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    printed = []
    meanwhile: list[Callable[[], None]] = [
        lambda: work(services, FAULTS), lambda: None, lambda: None, lambda: work(services, {}),
    ]  # fmt: skip
    for block, then in zip(blocks, [*meanwhile, lambda: None], strict=True):
        now += timedelta(seconds=2)
        commands = re.findall(r"(?m)^\$ blog (.*)$", block)
        printed.append("".join(f"$ blog {c}\n{blog(settings, *shlex.split(c))}" for c in commands))
        now += timedelta(minutes=15) if then is meanwhile[-1] else timedelta(seconds=1)
        then()
    if os.environ.get("REWRITE_TRANSCRIPT"):
        for block, now_printed in zip(blocks, printed, strict=True):
            PAGE.write_text(PAGE.read_text().replace(f"```console\n{block}", f"```console\n{now_printed}", 1))
        return
    assert "\n".join(printed) == "\n".join(blocks)
