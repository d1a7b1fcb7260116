"""The ledger's hottest questions are answered by an index, however large an issue is."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from blog import clock
from blog.db import Database
from blog.delivery import balance, ledger
from blog.delivery.states import Policy
from tests.delivery.test_sender import OWNER, make

ASKED: dict[str, tuple[Callable[[Session], object], str]] = {
    "claim": (lambda s: ledger.claim(s, 1, OWNER, 100, clock.now()), "ix_deliveries_due"),
    "renew": (lambda s: ledger.renew(s, OWNER, clock.now()), "ix_deliveries_live"),
    "recover": (lambda s: ledger.recover(s, OWNER, Policy.HOLD, clock.now()), "ix_deliveries_live"),
    "finish": (lambda s: ledger.finish(s, clock.now()), "ix_deliveries_due"),
    "next due": (balance.next_due, "ix_deliveries_due"),
}


@pytest.mark.sqlite  # PostgreSQL plans by the values; SQLite by the words.
@pytest.mark.parametrize("name", ASKED)
def test_no_question_of_the_sender_walks_through_a_whole_issue(database: Database, name: str) -> None:
    make(database, 3)
    ask, index = ASKED[name]
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "deliveries" in statement and not statement.startswith("EXPLAIN"):
            rows = connection.connection.cursor().execute("EXPLAIN QUERY PLAN " + statement, parameters)
            plans.append("\n".join(row[3] for row in rows.fetchall()))

    event.listen(database.engine, "before_cursor_execute", explain)
    with database.transaction() as session:
        ask(session)
    assert plans
    for plan in plans:
        assert index in plan, plan
        assert "SCAN deliveries" not in plan.replace(f"SCAN deliveries USING INDEX {index}", ""), plan
