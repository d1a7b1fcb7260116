"""What tells of an issue reads what is left of it and what went wrong, never what was accepted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, update

from blog import clock
from blog.db import Database
from blog.delivery import balance, control, holding, replacing
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.delivery.pace import Limits
from tests.delivery.test_sender import make

pytestmark = pytest.mark.slow

#: The indexes of what waits, is in hand, or had an unusual end; and by its number, for so many at most.
CHEAP = {"ix_deliveries_due", "ix_deliveries_live", "ix_deliveries_unusual", "PRIMARY KEY", "pk_deliveries"}
PEOPLE = 3000


@contextmanager
def ways() -> Iterator[set[str]]:
    """Collect the ways by which the statements of the block reach deliveries."""
    found: set[str] = set()

    def explain(connection: Connection, cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if "deliveries" not in statement:
            return
        own = cursor.connection.cursor()
        if connection.dialect.name == "sqlite":
            lines = [row[3] for row in own.execute(f"EXPLAIN QUERY PLAN {statement}", given or ())]
            found.update(_name(line) for line in lines if "deliveries" in line and "LIST" not in line)
            return
        own.execute(f"EXPLAIN (FORMAT JSON) {statement}", given or None)
        (said,) = own.fetchone()
        names = _names((said if isinstance(said, list) else json.loads(said))[0]["Plan"])
        found.update(name if name in CHEAP else f"{name} in {statement}" for name in names)

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def _name(line: str) -> str:
    return next((way for way in CHEAP if way in line), line)


def _names(node: dict[str, Any], table: str = "") -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", table)
    if kind == "Limit":
        return
    if table == "deliveries" and "Scan" in kind and kind != "Bitmap Heap Scan":
        yield node.get("Index Name", "all of it")
    for below in node.get("Plans", ()):
        yield from _names(below, table if kind.startswith("Bitmap") else "")


@pytest.fixture
def mailing(database: Database) -> int:
    """A mailing half of which was accepted, with some of each other end, beside one that is done."""
    number, done = make(database, PEOPLE), make(database, PEOPLE)
    with database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.mailing_id == done).values(state="accepted"))
        session.execute(update(Mailing).where(Mailing.id == done).values(state=MailingState.DONE))
        first = select(Delivery.id).where(Delivery.mailing_id == number).order_by(Delivery.id)
        for limit, state in ((PEOPLE // 2, "accepted"), (30, "bounced"), (20, "skipped"), (10, "uncertain")):
            mine = Delivery.id.in_(first.limit(limit).scalar_subquery())
            session.execute(update(Delivery).where(mine).values(state=state))
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE deliveries")
    return number


def test_nothing_that_tells_of_an_issue_reads_what_was_accepted(
    database: Database, mailing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of three thousand less than twenty thousand are of a million: each row may be on a page of its own here.
    monkeypatch.setattr(balance, "RECENT", 15)
    with database.reading() as session, ways() as found:
        account = balance.progress(session, mailing, clock.now())
        assert len(balance.uncertain(session, mailing)) == 10
        assert len(control.uncertain_ids(session, mailing, [])) == 10
        assert replacing.on_their_way(session, mailing) == 0
        holding.of(session, mailing, Limits(), clock.now())
    assert account is not None
    assert (account.balance.accepted, account.balance.bounced) == (PEOPLE // 2 - 30, 10)
    assert found <= CHEAP, found


def test_on_postgresql_the_account_reads_no_deliveries_but_those_in_hand(
    database: Database, mailing: int
) -> None:
    with database.reading() as session, ways() as found:
        assert balance.balance(session, mailing) is not None
    waiting_and_unusual = {"ix_deliveries_due", "ix_deliveries_unusual"} if database.is_sqlite else set()
    assert found == {"ix_deliveries_live"} | waiting_and_unusual


def test_a_count_of_every_row_is_found(database: Database, mailing: int) -> None:
    with database.reading() as session, ways() as found:
        assert balance.recount(session, mailing)[DeliveryState.ACCEPTED] == PEOPLE // 2 - 30
    assert not found <= CHEAP
