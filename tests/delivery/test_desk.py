"""The desk holds on to an outcome until the database has it, whatever ended the transaction."""

import time

import pytest
from sqlalchemy import text, update

from blog import clock, db
from blog.db import Database
from blog.delivery import control, ledger
from blog.delivery.desk import Desk, Slip
from blog.delivery.models import Delivery, DeliveryState, MailingState
from blog.delivery.states import Owner, Result
from tests.mailings import make_mailing

OWNER = Owner("host/0", "host/0/run-1")


def test_an_outcome_is_written_again_after_a_transaction_that_we_have_slept_through(
    postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "IDLE_TIMEOUT", "100ms")
    database, naps = Database(postgresql_server), [0.5, 0.0]

    def record() -> None:
        with database.transaction() as session:
            session.execute(text("SELECT 1"))
            time.sleep(naps.pop(0))
            session.execute(text("SELECT 1"))

    Desk(database, Owner("slot", "token"), clock.now)._persist(record)
    assert naps == []
    database.dispose()


@pytest.mark.parametrize(
    ("row", "stands"),
    [
        ({"state": DeliveryState.PLANNED, "owner": None}, MailingState.PAUSED),
        ({"state": DeliveryState.CLAIMED}, MailingState.PAUSED),
        ({"state": DeliveryState.PLANNED, "owner": None, "unknowns": 1}, MailingState.SENDING),
        ({"state": DeliveryState.UNCERTAIN, "owner": None, "unknowns": 1}, MailingState.SENDING),
    ],
    ids=["leave-and-claim-forgotten", "leave-forgotten", "overtaken-and-resent", "overtaken"],
)
def test_leave_that_the_database_has_forgotten_pauses_the_issue_and_being_overtaken_does_not(
    database: Database, row: dict[str, object], stands: MailingState
) -> None:
    with database.transaction() as session:
        mailing = make_mailing(session, 2, clock.now())
        claims, _ = ledger.claim(session, mailing, OWNER, 1, clock.now())
    desk, number = Desk(database, OWNER, clock.now), claims[0].id
    desk._commit([Slip([], number, None)])
    with database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.id == number).values(**row))
    late = Slip([Result(number, DeliveryState.ACCEPTED)], None, None)
    desk._commit_alone(late)
    with database.reading() as session:
        assert control.state_of(session, mailing) == stands
        assert session.get_one(Delivery, number).state == row["state"]
