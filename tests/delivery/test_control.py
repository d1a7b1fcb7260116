"""Pause, resume, cancel and settle: at once while a worker sends, and never at the balance's cost."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from blog import clock
from blog.db import Database
from blog.delivery import balance, control, events, ledger, recording
from blog.delivery.events import Event
from blog.delivery.models import Delivery, DeliveryEvent, DeliveryState, Mailing, MailingState
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay as RelayAddress
from blog.delivery.states import Owner, Policy
from blog.errors import BlogError
from tests.delivery.test_sender import OWNER, account, make, personalise, send
from tests.mailings import address_of
from tests.relay import Relay, Script, relay


def move(database: Database, mailing: int, event: Event) -> None:
    with database.transaction() as session:
        control.move(session, mailing, event, clock.now())


def cancel(database: Database, mailing: int) -> None:
    move(database, mailing, Event.CANCELLED)
    with database.transaction() as session:
        while control.drop_the_rest(session, clock.now()):
            pass


@contextmanager
def sending(database: Database, server: Relay) -> Iterator[None]:
    """Send on a thread of its own, again and again as a worker does, until the block ends."""
    stop = threading.Event()
    address = RelayAddress("127.0.0.1", server.port, "test")
    work = Sending(database, OWNER, address, 2, Policy.HOLD, personalise, clock.now)

    def repeat() -> None:
        while not stop.is_set():
            send_due(work, stop)
            stop.wait(0.05)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_pause_holds_within_two_seconds_while_a_worker_sends_and_resuming_repeats_nobody(
    database: Database,
) -> None:
    mailing = make(database, 300)
    with relay(Script(delay=0.01)) as server, sending(database, server):
        wait_for(lambda: len(server.messages) > 20)
        move(database, mailing, Event.PAUSED)
        paused = time.monotonic()
        wait_for(lambda: "uncertain" not in account(database, mailing) and not in_hand(database))
        assert time.monotonic() - paused < 2
        taken = len(server.messages)
        time.sleep(0.3)
        assert len(server.messages) == taken < 300
        assert account(database, mailing) == {"eligible": 300, "accepted": taken, "pending": 300 - taken}
        move(database, mailing, Event.RESUMED)
        wait_for(lambda: len(server.messages) == 300)
    assert set(Counter(m.recipient for m in server.messages).values()) == {1}
    assert account(database, mailing) == {"eligible": 300, "accepted": 300}


def in_hand(database: Database) -> bool:
    held = Delivery.state.in_([DeliveryState.CLAIMED, DeliveryState.HANDING_OVER])
    with database.reading() as session:
        return session.scalar(select(Delivery.id).where(held).limit(1)) is not None


def test_a_cancelled_mailing_skips_whom_it_has_not_reached_even_what_a_worker_holds(
    database: Database,
) -> None:
    mailing = make(database, 200)
    with relay(Script(delay=0.01)) as server, sending(database, server):
        wait_for(lambda: len(server.messages) > 10)
        cancel(database, mailing)
        wait_for(lambda: not in_hand(database))
        taken = len(server.messages)
        time.sleep(0.2)
    assert len(server.messages) == taken < 200
    with database.transaction() as session:
        ledger.finish(session, clock.now())  # as a worker does until nothing is left: some were given back
    assert account(database, mailing) == {"eligible": 200, "accepted": taken, "skipped": 200 - taken}


def test_a_hand_over_that_fails_after_the_mailing_was_cancelled_is_skipped_too(database: Database) -> None:
    mailing = make(database, 1)
    with database.transaction() as session:
        claims, _ = ledger.claim(session, mailing, OWNER, 1, clock.now())
        recording.record(session, OWNER, [], [claims[0].id], clock.now())
    cancel(database, mailing)
    assert account(database, mailing) == {"eligible": 1, "pending": 1}
    with database.transaction() as session:
        ledger.release(session, OWNER, [claims[0].id], clock.now())
        session.execute(update(Delivery).values(state=DeliveryState.PLANNED))
        ledger.finish(session, clock.now())
    assert account(database, mailing) == {"eligible": 1, "skipped": 1}


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (MailingState.DONE, Event.PAUSED),
        (MailingState.SENDING, Event.RESUMED),
        (MailingState.CANCELLED, Event.RESUMED),
        (MailingState.SENDING, Event.APPROVED),
        (MailingState.DONE, Event.CANCELLED),
    ],
)
def test_a_move_that_is_not_possible_says_where_the_mailing_stands(
    database: Database, state: MailingState, event: Event
) -> None:
    mailing = make(database, 1)
    with database.transaction() as session:
        session.execute(update(Mailing).values(state=state))
    with pytest.raises(BlogError, match=f"issue {mailing} is {state}"):
        move(database, mailing, event)
    with pytest.raises(BlogError, match="no issue 99"):
        move(database, 99, event)


def one_uncertain(database: Database) -> int:
    mailing = make(database, 3)
    with relay(Script(fault=lambda to: "drop after dot, accepted" if to == address_of(1) else "")) as server:
        send(database, server, connections=1)
    with database.transaction() as session:
        ledger.finish(session, clock.now())
    assert account(database, mailing) == {"eligible": 3, "accepted": 2, "uncertain": 1}
    return mailing


@pytest.mark.parametrize(
    ("how", "settled", "messages"),
    [
        (Event.HELD, {"accepted": 2, "uncertain": 1}, 0),
        (Event.SETTLED, {"accepted": 3}, 0),
        (Event.RESENT, {"accepted": 3}, 1),
    ],
)
def test_uncertain_deliveries_are_settled_as_a_person_says(
    database: Database, how: Event, settled: dict[str, int], messages: int
) -> None:
    mailing = one_uncertain(database)
    with database.transaction() as session:
        found = control.uncertain_ids(session, mailing, [address_of(1)])
        control.settle(session, mailing, how, found, clock.now())
    with relay() as server:
        send(database, server)
    assert len(server.messages) == messages
    assert account(database, mailing) == {"eligible": 3, **settled}
    with database.reading() as session:
        told = [event.event for event in events.of(session, mailing, found[0])]
    assert told == [Event.UNCERTAIN, how]


def test_who_is_not_uncertain_cannot_be_settled(database: Database) -> None:
    mailing = one_uncertain(database)
    named = pytest.raises(BlogError, match=f"not uncertain in issue {mailing}: {address_of(2)}")
    with named, database.reading() as session:
        control.uncertain_ids(session, mailing, [address_of(1), address_of(2)])


def test_what_was_put_off_and_what_died_is_remembered_and_the_usual_way_writes_nothing(
    database: Database,
) -> None:
    mailing = make(database, 4)
    with relay(Script(fault=lambda to: "rcpt 451" if to == address_of(2) else "")) as server:
        send(database, server)
    with database.reading() as session:
        rows = session.execute(select(Delivery.address, DeliveryEvent.event, DeliveryEvent.words).join(
            Delivery, Delivery.id == DeliveryEvent.delivery_id
        )).all()  # fmt: skip
    assert [tuple(row) for row in rows] == [(address_of(2), "deferred", "451 4.7.1 greylisted")]
    with database.transaction() as session:
        session.execute(update(Delivery).values(next_at=clock.now()))
        claims, _ = ledger.claim(session, mailing, OWNER, 1, clock.now())
        recording.record(session, OWNER, [], [claims[0].id], clock.now())
        ledger.recover(session, Owner(OWNER.slot, "another run"), Policy.HOLD, clock.now())
    with database.reading() as session:
        last = events.of(session, mailing, claims[0].id)[-1]
    assert (last.event, last.words) == (Event.UNCERTAIN, ledger.WORKER_DIED)


def test_the_pace_and_the_time_left_are_those_of_the_last_minute(database: Database) -> None:
    mailing = make(database, 100)
    now = clock.now()
    with database.transaction() as session:
        first = select(Delivery.id).order_by(Delivery.id).limit(40)
        ten_ago = now - balance.PACE / 6
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(first))
            .values(state=DeliveryState.ACCEPTED, updated_at=ten_ago)
        )
        found = balance.progress(session, mailing, now)
    assert found is not None
    assert (found.per_second, found.seconds_left, found.later) == (4.0, 15.0, 0)
