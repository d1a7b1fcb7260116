"""The ledger's hottest questions are answered by an index, however large an issue is."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from blog import clock
from blog.db import Database
from blog.delivery import balance, ledger, recording
from blog.delivery.models import DeliveryState
from blog.delivery.states import Policy, Result
from tests.delivery.test_sender import OWNER, make

ASKED: dict[str, tuple[Callable[[Session], object], str]] = {
    "claim": (lambda s: ledger.claim(s, 1, OWNER, 100, clock.now()), "ix_deliveries_due"),
    "renew": (lambda s: ledger.renew(s, OWNER, clock.now()), "ix_deliveries_live"),
    "recover": (lambda s: ledger.recover(s, OWNER, Policy.HOLD, clock.now()), "ix_deliveries_live"),
    "finish": (lambda s: ledger.finish(s, clock.now()), "ix_deliveries_due"),
    "next due": (balance.next_due, "ix_deliveries_due"),
}


def plans_of(database: Database) -> list[str]:
    """Return a list that fills with how each statement about deliveries is going to be answered."""
    plans: list[str] = []
    word = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "deliveries" in statement and not statement.startswith("EXPLAIN"):
            rows = connection.connection.cursor().execute(word + statement, parameters)
            plans.append("\n".join(row[-1] for row in rows.fetchall()))

    event.listen(database.engine, "before_cursor_execute", explain)
    return plans


@pytest.mark.sqlite  # PostgreSQL plans by the values; SQLite by the words.
@pytest.mark.parametrize("name", ASKED)
def test_no_question_of_the_sender_walks_through_a_whole_issue(database: Database, name: str) -> None:
    make(database, 3)
    ask, index = ASKED[name]
    plans = plans_of(database)
    with database.transaction() as session:
        ask(session)
    assert plans
    for plan in plans:
        assert index in plan, plan
        assert "SCAN deliveries" not in plan.replace(f"SCAN deliveries USING INDEX {index}", ""), plan


def test_a_message_is_recorded_by_its_number_and_not_by_a_walk_through_all_that_was_in_hand(
    database: Database,
) -> None:
    make(database, 40)
    with database.transaction() as session:
        claims, _ = ledger.claim(session, 1, OWNER, 40, clock.now())
    numbers = [claim.id for claim in claims]
    plans = plans_of(database)
    with database.transaction() as session:
        if not database.is_sqlite:  # forty rows are read faster than any index
            session.execute(text("SET LOCAL enable_seqscan = off"))
        assert recording.record(session, OWNER, [], numbers, clock.now()) == {*numbers}
        accepted = [Result(number, DeliveryState.ACCEPTED) for number in numbers]
        recording.record(session, OWNER, accepted, [], clock.now())
    assert len(plans) == 2
    for plan in plans:
        assert ("USING INTEGER PRIMARY KEY" if database.is_sqlite else "pk_deliveries") in plan
        assert "ix_deliveries_live" not in plan
