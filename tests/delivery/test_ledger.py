"""The ledger's hottest questions are answered by an index, however large an issue is."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from blog import clock
from blog.db import Database
from blog.delivery import balance, ledger, recording
from blog.delivery.models import DeliveryState
from blog.delivery.smtp import Relay
from blog.delivery.source import CLAIM_AT_ONCE, Sending, Source
from blog.delivery.states import Policy, Result
from tests.delivery.test_sender import OWNER, make, personalise

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


def test_a_claim_begins_where_the_last_one_ended_and_does_not_pass_all_that_was_claimed(
    database: Database,
) -> None:
    make(database, 9)
    with database.transaction() as session:
        first, _ = ledger.claim(session, 1, OWNER, 4, clock.now())
    plans = plans_of(database)
    with database.transaction() as session:
        if not database.is_sqlite:
            session.execute(text("SET LOCAL enable_seqscan = off"))
        reached = (first[-1].next_at, first[-1].id)
        second, _ = ledger.claim(session, 1, OWNER, 4, clock.now(), reached)
    assert [claim.id for claim in first + second] == [*range(1, 9)]
    [plan] = plans
    # SQLite keeps nothing in an index that is not there any more.
    within = "(mailing_id=? AND next_at>?" if database.is_sqlite else "AND (ROW(next_at, id) > ROW("
    assert within in plan, plan


def test_what_was_given_back_behind_the_place_of_a_claim_is_found_by_the_same_run(database: Database) -> None:
    make(database, 2 * CLAIM_AT_ONCE)
    source = Source(
        Sending(database, OWNER, Relay("127.0.0.1", 1, "test"), 1, Policy.HOLD, personalise, clock.now),
        threading.Event(),
    )
    kept = [source.next() for _ in range(CLAIM_AT_ONCE + 1)]
    with database.transaction() as session:  # as by whoever finds a worker dead
        ledger.release(session, OWNER, [claim.id for claim in kept[:3] if claim], clock.now())
    rest = []
    while claim := source.next():
        rest.append(claim.id)
    assert sorted(rest) == [1, 2, 3, *range(CLAIM_AT_ONCE + 2, 2 * CLAIM_AT_ONCE + 1)]
    assert rest[-3:] == [1, 2, 3]
