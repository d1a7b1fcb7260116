"""The desk holds on to an outcome until the database has it, whatever ended the transaction."""

import time

import pytest
from sqlalchemy import text

from blog import clock, db
from blog.db import Database
from blog.delivery.desk import Desk
from blog.delivery.states import Owner


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
