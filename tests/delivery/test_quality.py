"""An issue stops by itself when too much of it comes back; of a large one a share goes first."""

import json
import threading
from collections import Counter
from datetime import datetime, timedelta

import pytest

from blog import clock
from blog.db import Database
from blog.delivery import control, holding, quality, returned
from blog.delivery.events import Event
from blog.delivery.models import Delivery, DeliveryEvent, DeliveryState, Mailing, MailingState
from blog.delivery.pace import Limits
from blog.delivery.quality import Bars
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay as RelayAddress
from blog.delivery.states import Policy
from blog.settings import Settings
from tests.commanding import blog
from tests.delivery.test_sender import OWNER, account, make, personalise
from tests.relay import Relay, Script, relay

BARS = Bars(bounces=10.0, complaints=0.3)


def send(database: Database, server: Relay, bars: Bars, now: datetime | None = None) -> None:
    address = RelayAddress("127.0.0.1", server.port, "test")
    at = (lambda: now) if now else clock.now
    sending = Sending(database, OWNER, address, 2, Policy.HOLD, personalise, at, bars=bars)
    send_due(sending, threading.Event(), patience=4)


def no_such_user(every: int) -> Script:
    """A relay that does not know every so manieth reader."""

    def fault(recipient: str) -> str:
        number = int(recipient.removeprefix("reader").partition("@")[0])
        return "" if number % every else "rcpt 550 5.1.1 no such user"

    return Script(fault=fault)


def state(database: Database, mailing: int) -> str:
    with database.reading() as session:
        return control.state_of(session, mailing)


def events(database: Database) -> list[str]:
    with database.reading() as session:
        return [row.event for row in session.query(DeliveryEvent).filter_by(delivery_id=None)]


def test_too_many_bounces_pause_an_issue_which_says_why_and_how_to_go_on(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    mailing = make(database, 600)
    with relay(no_such_user(every=4)) as server:
        send(database, server, BARS)
        stopped = account(database, mailing)
        assert state(database, mailing) == MailingState.PAUSED
        # Looked at with each claim of a hundred, for each of the connections.
        assert 50 <= stopped["bounced"] <= 100
        assert stopped["pending"] >= 200
        alert = capsys.readouterr().out
        assert "digest.paused_by_itself" in alert
        assert f"blog digest resume {mailing}" in alert
        said = blog(settings, "digest", "status", str(mailing))
        assert "paused by itself: " in said
        assert "bounced, 25." in said
        assert "the bar is 10" in said
        assert f"blog digest resume {mailing}" in said
        told = json.loads(blog(settings, "digest", "status", str(mailing), "--json"))
        assert told["state"] == "paused"
        assert told["held_back"][0].startswith("paused by itself: ")
        with database.reading() as session:
            assert holding.gauges(session, clock.now())["paused: too many came back"] == 1
        # Who has looked and lets it go on is not asked again about the same ones.
        blog(settings, "digest", "resume", str(mailing))
        send(database, server, Bars(bounces=30.0))
    assert account(database, mailing) == {"eligible": 600, "accepted": 450, "bounced": 150}
    assert set(Counter(m.recipient for m in server.messages).values()) == {1}


def test_resuming_counts_anew(database: Database) -> None:
    mailing = make(database, 500)
    with relay(no_such_user(every=4)) as server:
        send(database, server, BARS)
        before = account(database, mailing)["bounced"]
        with database.transaction() as session:
            control.move(session, mailing, Event.RESUMED, clock.now())
        send(database, server, BARS)
        after = account(database, mailing)["bounced"]
    # Fifty more, not one more: and then it is paused again, for it is as bad as before.
    assert after - before >= 50
    assert events(database).count(Event.TOO_MANY) == 2


@pytest.mark.sqlite
def test_few_bounces_stop_nobody_whatever_their_share(database: Database) -> None:
    mailing = make(database, 60)
    with relay(no_such_user(every=2)) as server:
        send(database, server, BARS)
    assert account(database, mailing) == {"eligible": 60, "accepted": 30, "bounced": 30}
    assert events(database) == []


def come_back(database: Database, number: int, complaint: bool = False) -> None:
    """Have mail come back that the relay had taken."""
    now = clock.now()
    with database.transaction() as session:
        taken = session.query(Delivery).filter_by(state=DeliveryState.ACCEPTED).limit(number).all()
        for delivery in taken:
            if complaint:
                returned.complained(session, delivery, "spam", now)
            else:
                returned.came_back(session, delivery, DeliveryState.BOUNCED, "hard", "5.1.1", now)


@pytest.mark.parametrize(("number", "complaint"), [(60, False), (5, True)], ids=["bounces", "complaints"])
def test_what_comes_back_by_mail_pauses_the_rest(database: Database, number: int, complaint: bool) -> None:
    mailing = make(database, 300)
    with database.transaction() as session:
        control.only_the_first(session, mailing, 200)
    with relay() as server:
        send(database, server, BARS)
        come_back(database, number, complaint)
        with database.transaction() as session:
            session.get_one(Mailing, mailing).first_to = None
        send(database, server, BARS)
        assert state(database, mailing) == MailingState.PAUSED
        assert len(server.messages) == 200
    with database.reading() as session:
        why = holding.of(session, mailing, Limits(), clock.now())[0]
    assert ("reported as spam, 2.5 in a hundred" if complaint else "bounced, 30.0 in a hundred") in why


def test_a_first_share_that_goes_well_is_followed_by_the_rest_in_the_same_run(database: Database) -> None:
    mailing = make(database, 200)
    bars = Bars(bounces=10.0, canary=5.0, canary_from=200)
    with relay() as server:
        send(database, server, bars)
    assert account(database, mailing) == {"eligible": 200, "accepted": 200}
    assert set(Counter(m.recipient for m in server.messages).values()) == {1}
    first = {f"reader{n}@example.org" for n in range(10)}
    assert {m.recipient for m in server.messages[:10]} == first
    assert events(database) == [Event.CANARY_WELL]


def test_a_first_share_that_goes_badly_holds_back_the_rest(database: Database) -> None:
    mailing = make(database, 400)
    with relay(no_such_user(every=2)) as server:
        send(database, server, Bars(bounces=10.0, canary=5.0, canary_from=200))
    assert account(database, mailing) == {"eligible": 400, "accepted": 10, "bounced": 10, "pending": 380}
    assert state(database, mailing) == MailingState.PAUSED


def test_the_rest_waits_for_the_bounces_of_the_first_share(database: Database) -> None:
    now = clock.now()
    mailing = make(database, 200)
    bars = Bars(bounces=10.0, canary=20.0, canary_from=200, canary_wait=timedelta(minutes=10))
    with relay() as server:
        for minutes, taken in ((1, 40), (5, 40), (12, 200)):
            send(database, server, bars, now + timedelta(minutes=minutes))
            assert len(server.messages) == taken
            if taken == 40:
                with database.reading() as session:
                    said = holding.of(session, mailing, Limits(), now)
                assert "the first share is on its way" in said[0]
    assert account(database, mailing) == {"eligible": 200, "accepted": 200}


@pytest.mark.sqlite
def test_a_small_issue_one_that_is_tried_by_hand_and_one_by_readers_clocks_have_no_first_share(
    database: Database,
) -> None:
    now = clock.now()
    bars = Bars(canary=5.0, canary_from=100)
    small, tried, by_clocks = make(database, 99), make(database, 100), make(database, 100)
    with database.transaction() as session:
        control.only_the_first(session, tried, 3)
        late = session.query(Delivery).filter_by(mailing_id=by_clocks).first()
        assert late
        late.next_at = now + timedelta(hours=5)
    with database.transaction() as session:
        for mailing in (small, tried, by_clocks):
            assert quality.may_go_on(session, mailing, bars, clock.now())
            assert quality.first_share(session, mailing) is None


@pytest.mark.sqlite
def test_a_pause_by_hand_ends_the_first_share(database: Database) -> None:
    mailing = make(database, 200)
    bars = Bars(canary=5.0, canary_from=200)
    with database.transaction() as session:
        quality.may_go_on(session, mailing, bars, clock.now())
        assert quality.first_share(session, mailing)
    for event in (Event.PAUSED, Event.RESUMED):
        with database.transaction() as session:
            control.move(session, mailing, event, clock.now())
    with relay() as server:
        send(database, server, bars)
    assert account(database, mailing) == {"eligible": 200, "accepted": 200}
    assert events(database) == [Event.PAUSED, Event.RESUMED]
