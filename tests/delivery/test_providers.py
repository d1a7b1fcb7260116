"""Mail to providers that push back as the real ones do: slower there, at once elsewhere, nobody lost.

The relay is a real one on a socket; only the clock is ours, so that hours pass in a second.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from blog.db import Database
from blog.delivery import holding, learning, outcomes
from blog.delivery.models import IS_WAITING, Delivery, DeliveryState, Pace
from blog.delivery.pace import Limits
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay as RelayAddress
from blog.delivery.states import Owner, Policy
from blog.pace_settings import Rate
from tests.delivery.test_sender import account, personalise
from tests.mailings import make_mailing
from tests.relay import EXTENSIONS, Relay, Script, relay

pytestmark = pytest.mark.slow

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONNECTIONS = 2
#: Their servers are tried without PIPELINING here.
IN_TURN = ("yahoo.com", "outlook.com", "t-online.de")


@dataclass
class World:
    """A clock of our own, and who was tried when, as the other side saw it."""

    database: Database
    now: datetime = START
    tried: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)

    def watched(self, provider: Callable[[str, "World"], str]) -> Callable[[str], str]:
        def fault(recipient: str) -> str:
            domain = recipient.partition("@")[2]
            reply = provider(recipient, self)
            self.tried[domain].append(self.now)
            self.refused[domain] += bool(reply)
            return reply

        return fault

    def within(self, domain: str, stretch: timedelta) -> int:
        """Return how many there were in the last stretch of time."""
        return sum(at > self.now - stretch for at in self.tried[domain])

    def run(self, server: Relay, until: timedelta, workers: int = 1, limits: Limits | None = None) -> None:
        """Have the workers send until nothing waits, or it is too late; the time passes as they wait."""
        while self.now < START + until:
            self.work(server, workers, limits, until)
            with self.database.reading() as session:
                following = session.scalar(select(func.min(Delivery.next_at)).where(IS_WAITING))
            if following is None:
                return
            self.now = max(self.now, following)

    def work(
        self, server: Relay, workers: int = 1, limits: Limits | None = None, until: timedelta | None = None
    ) -> None:
        """Have the workers send what is due now; with `until`, and what falls due by then."""
        address, patience = RelayAddress("127.0.0.1", server.port, "test"), 1e9 if until else 0.0
        stop = Passing(self, until)
        sendings = [
            Sending(
                self.database, Owner(f"host/{n}", f"host/{n}/run"), address, CONNECTIONS, Policy.HOLD,
                personalise, lambda: self.now, limits=limits or Limits(), worth_waiting=patience,
            )
            for n in range(workers)
        ]  # fmt: skip
        threads = [threading.Thread(target=send_due, args=(sending, stop, 6)) for sending in sendings]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class Passing(threading.Event):
    """An order to stop whose waiting has the time of a world pass, instead of ours."""

    def __init__(self, world: World, until: timedelta | None) -> None:
        super().__init__()
        self._world, self._until = world, until

    def wait(self, timeout: float | None = None) -> bool:
        # Some time passes always: what the sender itself takes has gone by on its clock only.
        self._world.now += timedelta(seconds=max(timeout or 0, 0.01))
        if self._until and self._world.now > START + self._until:
            self.set()
        return self.is_set()


def most_within(moments: list[datetime], stretch: timedelta) -> int:
    return max(sum(first <= at < first + stretch for at in moments) for first in moments)


def more_than(number: int, stretch: timedelta, reply: str) -> Callable[[str, World], str]:
    """Refuse what goes beyond so many in a stretch of time, with these words."""

    def provider(recipient: str, world: World) -> str:
        domain = recipient.partition("@")[2]
        return reply if domain != "example.org" and world.within(domain, stretch) >= number else ""

    return provider


def mail_to(database: Database, domain: str, number: int, others: int = 40) -> int:
    """Plan a mailing in which those of one domain come first, the others behind them."""
    people = [f"r{n}@{domain}" for n in range(number)] + [f"r{n}@example.org" for n in range(others)]
    with database.transaction() as session:
        return make_mailing(session, people, START)


@pytest.mark.parametrize(
    ("domain", "reply"),
    [
        (
            "gmail.com",
            "dot 421-4.7.28 an unusual rate of mail\r\n421 4.7.28 from your IP address",
        ),
        ("yahoo.com", "rcpt 421 4.7.0 [TSS04] messages temporarily deferred due to unexpected volume"),
        ("outlook.com", "rcpt 451 4.7.500 server busy, try again later"),
        ("hotmail.com", "dot 451 4.7.650 rate limited due to IP reputation (S775)"),
        ("t-online.de", "rcpt 421 too many connections from your host"),
        ("busy.example", "rcpt 451 4.3.2 please try again later"),
    ],
)
@pytest.mark.sqlite
def test_a_provider_that_has_had_enough_is_mailed_more_slowly_and_the_others_at_once(
    database: Database, domain: str, reply: str
) -> None:
    mailing, world = mail_to(database, domain, 80), World(database)
    provider = more_than(20, MINUTE, reply)
    extensions = () if domain in IN_TURN else EXTENSIONS
    with relay(Script(fault=world.watched(provider), extensions=extensions)) as server:
        world.work(server)
        # All others have theirs, in the very moment in which the first of that domain were refused.
        assert len(world.tried["example.org"]) == 40
        assert world.refused[domain] <= 2 * CONNECTIONS  # what was on the wire, and what came behind it
        with database.reading() as session:
            said = " ".join(holding.of(session, mailing, Limits(), world.now))
        assert f"{domain}: left alone until 09:01 UTC, since it said: 4" in said
        world.run(server, until=timedelta(hours=6))
    assert account(database, mailing) == {"eligible": 120, "accepted": 120}
    assert set(Counter(m.recipient for m in server.messages).values()) == {1}
    assert len(server.messages) == 120
    # Left alone for a minute, then for two, four …; after each the pace is half of what it was.
    tried = world.tried[domain]
    assert world.refused[domain] <= 12
    shut = [round((b - a) / MINUTE) for a, b in pairwise(tried) if b - a >= MINUTE]
    assert shut[:2] == [1, 2]
    assert most_within([at for at in tried if at >= START + MINUTE], MINUTE) <= 60
    assert most_within(tried[-20:], MINUTE) <= 22
    assert server.script.violations == []


def test_several_workers_learn_from_one_refusal_and_keep_the_pace_together(database: Database) -> None:
    mailing, world = mail_to(database, "gmail.com", 80), World(database)
    provider = more_than(20, MINUTE, "rcpt 421 4.7.28 unusual rate")
    with relay(Script(fault=world.watched(provider))) as server:
        world.run(server, until=timedelta(hours=6), workers=2)
    assert account(database, mailing) == {"eligible": 120, "accepted": 120}
    assert set(Counter(m.recipient for m in server.messages).values()) == {1}
    assert world.refused["gmail.com"] <= 16
    assert most_within([at for at in world.tried["gmail.com"] if at >= START + MINUTE], MINUTE) <= 60


def test_greylisting_slows_nobody_down(database: Database) -> None:
    mailing, world = mail_to(database, "grey.example", 30), World(database)
    seen: dict[str, datetime] = {}

    def greylist(recipient: str, world: World) -> str:
        first = seen.setdefault(recipient, world.now)
        return "" if world.now - first >= 5 * MINUTE else "rcpt 450 4.2.0 greylisted, try again later"

    with relay(Script(fault=world.watched(greylist))) as server:
        world.run(server, until=timedelta(hours=1))
        with database.reading() as session:
            assert session.query(Pace).count() == 0
    assert world.now - START == 15 * MINUTE
    assert account(database, mailing) == {"eligible": 70, "accepted": 70}
    assert len(server.messages) == 70


@pytest.mark.sqlite
def test_limits_of_the_operator_hold_in_every_stretch_and_hold_nobody_else_up(database: Database) -> None:
    mailing, world = mail_to(database, "gmail.com", 60), World(database)
    limits = Limits(domains={"gmail.com": Rate(20, 60)})
    with relay(Script(fault=world.watched(lambda *_: ""))) as server:
        world.work(server, limits=limits)
        assert {domain: len(tried) for domain, tried in world.tried.items()} == {
            "gmail.com": 2,
            "example.org": 40,
        }
        world.run(server, until=timedelta(hours=1), limits=limits)
    assert most_within(world.tried["gmail.com"], MINUTE) <= 20
    assert timedelta(minutes=3) <= world.now - START <= timedelta(minutes=4)
    assert account(database, mailing) == {"eligible": 100, "accepted": 100}
    assert set(Counter(m.recipient for m in server.messages).values()) == {1}


@pytest.mark.sqlite
def test_a_domain_that_is_left_in_peace_is_mailed_faster_again_until_it_is_forgotten(
    database: Database,
) -> None:
    mail_to(database, "gmail.com", 1)
    world = World(database)
    refusing = True
    script = Script(fault=lambda to: "rcpt 421 4.7.28 unusual rate" if refusing and "gmail" in to else "")
    with relay(script) as server:
        world.work(server)
        refusing = False
        speeds = []
        for _ in range(4):
            world.now += timedelta(minutes=15)
            mail_to(database, "gmail.com", 1, others=0)
            world.work(server)
            with database.reading() as session:
                speeds.append(session.get_one(Pace, "gmail.com").per_second)
        assert speeds == [1.5, 2.25, 5.0625, 7.59375]
        world.now += timedelta(hours=1)
        mail_to(database, "gmail.com", 1, others=0)
        world.work(server)
    assert len(server.messages) == 46
    with database.reading() as session:
        assert session.query(Pace).count() == 0


@pytest.mark.sqlite
def test_a_domain_that_refuses_for_days_is_given_up_and_nobody_suppressed_for_it(database: Database) -> None:
    mailing, world = mail_to(database, "gone.example", 10, others=2), World(database)
    provider = more_than(0, MINUTE, "rcpt 451 4.7.0 try again later")
    with relay(Script(fault=world.watched(provider))) as server:
        world.run(server, until=timedelta(days=4))
    assert account(database, mailing) == {"eligible": 12, "accepted": 2, "failed": 10}
    assert learning.GIVE_UP_AFTER <= world.now - START <= learning.GIVE_UP_AFTER + timedelta(hours=2)
    # One try an hour, for all of the domain: they are not knocked at for each reader. (A connection's way is
    # long by this clock, so each may have one on it.)
    assert len(world.tried["gone.example"]) <= 80 * CONNECTIONS


@pytest.mark.sqlite
def test_a_mailbox_that_refuses_for_days_is_given_up_after_its_last_try(database: Database) -> None:
    mailing, world = mail_to(database, "full.example", 1, others=0), World(database)
    provider = more_than(0, MINUTE, "rcpt 452 4.2.2 mailbox full")
    with relay(Script(fault=world.watched(provider))) as server:
        world.run(server, until=timedelta(days=9))
    assert account(database, mailing) == {"eligible": 1, "failed": 1}
    assert len(world.tried["full.example"]) == outcomes.GIVE_UP_AFTER + 1
    assert timedelta(days=2) < world.now - START < timedelta(days=4)
    with database.reading() as session:
        row = session.scalars(select(Delivery)).one()
    assert (row.state, row.reason) == (DeliveryState.FAILED, outcomes.EXPIRED)


@pytest.mark.sqlite
def test_three_domains_that_have_had_enough_in_a_row_are_a_relay_that_has(database: Database) -> None:
    with database.transaction() as session:
        mailing = make_mailing(session, [f"r{n}@d{n}.example" for n in range(30)], START)
    world = World(database)
    with relay(Script(fault=world.watched(lambda *_: "rcpt 421 4.7.0 too many from you"))) as server:
        address = RelayAddress("127.0.0.1", server.port, "test")
        sending = Sending(
            database, Owner("h/0", "h/0/r"), address, 1, Policy.HOLD, personalise, lambda: world.now
        )
        report = send_due(sending, threading.Event(), 3)
    assert "421 4.7.0 too many" in (report.trouble or "")
    assert sum(map(len, world.tried.values())) < 12
    assert account(database, mailing) == {"eligible": 30, "pending": 30}
