"""Every fault of a relay at every point of the conversation: 10 x 10 cells, each with its own verdict."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from blog import clock
from blog.db import Database
from blog.delivery import balance, channel, smtp
from blog.delivery.models import Delivery, DeliveryState, Suppression
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay, Security
from blog.delivery.states import Claim, Owner, Policy
from tests.crash import figures
from tests.crash.hostile import FAULTS, PHASES, Hostile, hostile
from tests.mailings import TEMPLATE, make_mailing
from tests.smtp_server import certificate

pytestmark = pytest.mark.crash

OWNER = Owner("host/0", "host/0/run-1")
#: More than the kernel keeps for a slow reader: what breaks in its middle has not left as a whole.
LONG = TEMPLATE + b"All work and no play makes a long message.\r\n" * 150_000
TIMEOUT = 1.5
#: CI has time for five cells on each database, in different rows and columns.
STEP = 21 if figures.BRIEF else 1

DEFERRED, FAILED, BOUNCED, UNCERTAIN = "deferred", "failed", "bounced", "uncertain"
_LOST = {"drop": UNCERTAIN, "reset": UNCERTAIN, "silence": UNCERTAIN}
_NOISE = {"garbage": UNCERTAIN, "oversize line": UNCERTAIN}
_AT_THE_END = {"4xx": DEFERRED, "5xx": FAILED, "421": DEFERRED, **_LOST, **_NOISE}
#: Where the reader concerned ends up at first; in every other cell the message is simply accepted. Only a
#: refused RCPT speaks of the address. After the last octet, silence and noise leave a doubt, and only then.
VERDICTS = {
    "rcpt": {"4xx": DEFERRED, "5xx": BOUNCED},
    "data": {"4xx": DEFERRED, "5xx": FAILED},
    "mid-body": {"4xx": DEFERRED, "5xx": FAILED, "many lines": DEFERRED, **_NOISE},
    "dot": _AT_THE_END,
    "reply": _AT_THE_END,
}


@pytest.fixture
def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    """The misbehaving relay, and a sender whose waits are scaled down from minutes."""
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setattr(smtp, "FINAL_DOT_SECONDS", TIMEOUT)
    monkeypatch.setattr(channel, "FIRST_PAUSE", 0.002)
    with hostile(context) as running:
        yield running


def send(database: Database, relay: Hostile, policy: Policy) -> None:
    def personalise(claim: Claim) -> dict[str, bytes]:
        return {"to": claim.address.encode(), "message_id": claim.message_id.encode()}

    address = Relay(
        "127.0.0.1", relay.port, "test", timeout=TIMEOUT,
        security=Security.STARTTLS if relay.phase == "starttls" else Security.NONE,
        username="news" if relay.phase == "auth" else "", password="secret",
    )  # fmt: skip
    sending = Sending(database, OWNER, address, 1, policy, personalise, clock.now)
    assert send_due(sending, threading.Event(), patience=6).trouble is None


def play(database: Database, relay: Hostile, cell: tuple[str, str], policy: Policy) -> list[str]:
    """Send an issue of three through one cell; return what is not as promised."""
    phase, fault = cell
    readers = [f"{n}.{phase}.{fault.replace(' ', '-')}@example.org" for n in range(3)]
    relay.play(phase, fault, readers[1])
    with database.transaction() as session:
        template = LONG if phase == "mid-body" else TEMPLATE
        mailing = make_mailing(session, readers, clock.now(), template)
    send(database, relay, policy)
    expected = VERDICTS.get(phase, {}).get(fault, "accepted")
    doubted = expected == UNCERTAIN
    if doubted and policy is Policy.RESEND:
        expected = "accepted"
    wrong = check(database, relay, mailing, readers[1], expected)
    if not relay.done:
        wrong.append("the fault did not happen")
    if expected == DEFERRED:
        with database.transaction() as session:
            session.execute(update(Delivery).values(next_at=clock.now() - timedelta(seconds=1)))
        send(database, relay, policy)
        wrong += check(database, relay, mailing, readers[1], "accepted")
    copies = Counter(recipient for recipient, _ in relay.taken)
    if max(copies.values()) > 1 + (doubted and policy is Policy.RESEND):
        wrong.append(f"doubled: {copies}")
    if len(set(relay.taken)) != len(copies):
        wrong.append("a second copy with a Message-ID of its own")
    return [f"{phase} x {fault}: {what}" for what in wrong]


def check(database: Database, relay: Hostile, mailing: int, victim: str, expected: str) -> list[str]:
    with database.reading() as session:
        rows = session.execute(
            select(Delivery.address, Delivery.state, Delivery.unknowns).where(Delivery.mailing_id == mailing)
        ).all()
        account = balance.balance(session, mailing)
        named = [address for address, _ in balance.uncertain(session, mailing)]
        suppressed = len(session.scalars(select(Suppression)).all())
    assert account is not None
    taken = {recipient for recipient, _ in relay.taken}
    wrong = []
    for address, state, unknowns in rows:
        wanted = expected if address == victim else "accepted"
        if state != wanted:
            wrong.append(f"{address} is {state}, not {wanted}")
        if state == DeliveryState.ACCEPTED and address not in taken:
            wrong.append(f"{address} is lost")
        if (state == DeliveryState.UNCERTAIN) != (address in named) or (unknowns and address != victim):
            wrong.append(f"{address} is not named rightly")
    if suppressed != (expected == BOUNCED):
        wrong.append(f"{suppressed} suppressed")
    settled = account.accepted + account.skipped + account.bounced + account.failed + account.uncertain
    if account.eligible != 3 or settled + account.pending != 3:
        wrong.append(f"the balance is {account}")
    return wrong


@pytest.mark.parametrize("policy", [Policy(policy) for policy in figures.POLICIES])
def test_every_fault_at_every_point_of_the_conversation_keeps_the_promises(
    database: Database, relay: Hostile, policy: Policy, engine: str
) -> None:
    which = 7 * (engine == "sqlite") if STEP > 1 else 0
    wrong: list[str] = []
    cells = [(phase, fault) for phase in PHASES for fault in FAULTS][which::STEP]
    for cell in cells:
        wrong += play(database, relay, cell, policy)
        with database.transaction() as session:
            session.execute(delete(Suppression))
    broken = len({line.split(":")[0] for line in wrong})
    figures.note("relay faults", engine, policy, cells=len(cells), kept=len(cells) - broken)
    assert wrong == []
