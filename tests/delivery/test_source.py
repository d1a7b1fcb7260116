"""Lots grow with the speed of a sender, and the end of what is due is not asked about by every connection."""

import threading
from collections import Counter

import pytest
from sqlalchemy import func, select

from blog import clock
from blog.db import Database
from blog.delivery import source as room
from blog.delivery.models import Delivery
from blog.delivery.smtp import Relay
from blog.delivery.source import CLAIM_AT_ONCE, MOST_AT_ONCE, Sending, Source
from blog.delivery.states import Policy
from tests.delivery.test_sender import OWNER, account, make, personalise, send
from tests.mailings import address_of
from tests.relay import Script, relay


def source_of(database: Database) -> Source:
    relay_address = Relay("127.0.0.1", 1, "test")
    return Source(
        Sending(database, OWNER, relay_address, 1, Policy.HOLD, personalise, clock.now), threading.Event()
    )


def lots(database: Database, source: Source, number: int) -> list[int]:
    """Return how many deliveries each of the next claims takes."""
    sizes, before = [], 0
    for _ in range(number):
        assert source.next()
        with database.reading() as session:
            claimed = select(func.count()).where(Delivery.state == "claimed")
            sizes.append((session.scalar(claimed) or 0) - before)
        before += sizes[-1]
        for _ in range(sizes[-1] - 1):
            assert source.next()
    return sizes


@pytest.mark.sqlite
def test_a_lot_that_is_gone_at_once_is_followed_by_one_twice_as_large_up_to_a_limit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SOON_GONE", 60.0)
    make(database, 3500)
    assert lots(database, source_of(database), 6) == [100, 100, 200, 400, MOST_AT_ONCE, MOST_AT_ONCE]


@pytest.mark.sqlite
def test_a_slow_sender_has_no_more_in_hand_than_a_small_lot(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SOON_GONE", 0.0)
    make(database, 400)
    assert lots(database, source_of(database), 3) == [CLAIM_AT_ONCE] * 3


@pytest.mark.sqlite
def test_where_there_was_nothing_the_next_connection_does_not_ask_again_unless_something_came_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "NOTHING_SECONDS", 60.0)
    source = source_of(database)
    assert source.next() is None
    make(database, 1)
    assert source.next() is None
    source.look_again()
    assert source.next() is not None


def test_what_comes_back_after_the_others_found_nothing_is_sent_by_the_same_run(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "NOTHING_SECONDS", 60.0)
    mailing, seen = make(database, 1), Counter[str]()

    def once(recipient: str) -> str:
        seen[recipient] += 1
        return "drop in content" if seen[recipient] == 1 else ""

    with relay(Script(fault=once)) as server:
        send(database, server, Policy.RESEND, connections=4)
    assert account(database, mailing) == {"eligible": 1, "accepted": 1}
    assert [message.recipient for message in server.messages] == [address_of(0)]
