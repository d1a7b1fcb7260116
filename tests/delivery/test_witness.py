"""A database that does not know of what was sent is told from one that does."""

from pathlib import Path

import pytest
from sqlalchemy import update

from blog import clock
from blog.db import Database
from blog.delivery import forgetting, witness
from blog.delivery.models import Delivery, DeliveryState
from blog.delivery.states import Owner, Result
from blog.delivery.witness import Restored, Witness
from tests.mailings import make_mailing

OWNER = Owner("host/0", "host/0/run-1")


def judge(database: Database, folder: Path) -> None:
    sent = witness.last_sent(folder)
    with database.reading() as session:
        witness.refuse_restored(session, sent)


def note(folder: Path, *numbers: int) -> None:
    Witness(folder, OWNER).note([Result(number, DeliveryState.ACCEPTED) for number in numbers])


def test_a_delivery_that_was_accepted_and_is_planned_gives_a_restored_database_away(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        make_mailing(session, 3, clock.now())
    judge(database, tmp_path)
    note(tmp_path, 1, 2)
    with pytest.raises(Restored, match="--after-restore"):
        judge(database, tmp_path)
    with database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.id == 2).values(state=DeliveryState.ACCEPTED))
    judge(database, tmp_path)


@pytest.mark.parametrize("state", [DeliveryState.BOUNCED, DeliveryState.FAILED])
def test_what_was_accepted_and_came_back_later_gives_nothing_away(
    database: Database, tmp_path: Path, state: DeliveryState
) -> None:
    with database.transaction() as session:
        make_mailing(session, 3, clock.now())
        session.execute(update(Delivery).where(Delivery.id == 2).values(state=state))
    note(tmp_path, 2)
    judge(database, tmp_path)


def test_a_delivery_that_is_not_there_gives_a_restored_database_away(
    database: Database, tmp_path: Path
) -> None:
    note(tmp_path, 7)
    with pytest.raises(Restored):
        judge(database, tmp_path)
    witness.forget(tmp_path)
    judge(database, tmp_path)


def test_what_was_not_accepted_is_not_noted(database: Database, tmp_path: Path) -> None:
    Witness(tmp_path, OWNER).note([Result(1, DeliveryState.DEFERRED), Result(2, DeliveryState.UNCERTAIN)])
    assert witness.last_sent(tmp_path) == []


def test_a_note_cut_off_by_a_crash_says_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "0.sent").touch()
    judge(database, tmp_path)


def test_a_note_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    note(tmp_path / "missing", 1)
    assert witness.last_sent(tmp_path / "missing") == []


def test_forgetting_the_reader_of_the_last_message_is_no_restored_database(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        make_mailing(session, 1, clock.now())
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
    note(tmp_path, 1)
    with database.transaction() as session:
        forgetting.forget(session, 0)
    judge(database, tmp_path)
