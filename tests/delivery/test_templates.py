"""An issue of many editions: each is read from the database once, whoever follows whom."""

import random

import pytest
from sqlalchemy import select, update

from blog import clock
from blog.db import Database
from blog.delivery import ledger, templates
from blog.delivery.models import Delivery
from blog.delivery.templates import Templates
from tests.delivery.test_sender import account, send
from tests.mailings import TEMPLATE, make_mailing
from tests.relay import relay
from tests.statements import statements


def readings(asked: list[str]) -> int:
    """Return how many of these statements read a frozen message."""
    return sum(statement.startswith("SELECT variants.template") for statement in asked)


def editions(database: Database, number: int) -> list[int]:
    """Store variants whose text tells them apart; return their numbers."""
    with database.transaction() as session:
        mailing = make_mailing(session, 0, clock.now())
        texts = [f"\r\n{n} {random.Random(n).randbytes(900).hex()}".encode() for n in range(number)]
        return [ledger.add_variant(session, mailing, f"more {n}", text) for n, text in enumerate(texts)]


@pytest.mark.parametrize("room", [16 * 1024 * 1024, 5_000, 0])
def test_whatever_there_is_room_for_each_message_is_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(templates, "MOST_BYTES", room)
    monkeypatch.setattr(templates, "READY", 2)
    numbers, kept = editions(database, 20), Templates(database)
    chance = random.Random(5)
    with statements(database.read_engine) as asked:
        for _ in range(300):
            place = chance.randrange(len(numbers))
            assert kept.segments(numbers[place]).parts[0].startswith(b"\r\n%d " % place)
            assert kept.packed_bytes <= room
    read = readings(asked)
    assert read == len(numbers) if room > 5_000 else read > 100


def test_an_issue_of_many_editions_reads_each_of_them_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "READY", 2)
    with database.transaction() as session:
        mailing = make_mailing(session, 60, clock.now())
        variants = [ledger.add_variant(session, mailing, f"{n}", TEMPLATE) for n in range(11)]
        for place, number in enumerate(session.scalars(select(Delivery.id).order_by(Delivery.id)).all()):
            mine = update(Delivery).where(Delivery.id == number)
            session.execute(mine.values(variant_id=variants[place % 11]))
    with relay() as server, statements(database.read_engine) as asked:
        send(database, server, connections=4)
    assert account(database, mailing) == {"eligible": 60, "accepted": 60}
    assert readings(asked) == 11
