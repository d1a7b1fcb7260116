"""The account of a mailing, made without counting what was accepted, is what counting every row says."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from blog import clock
from blog.db import Database
from blog.delivery import balance
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from tests.delivery.test_sender import make

PEOPLE = 12


def put(database: Database, mailing: int, states: list[DeliveryState]) -> None:
    """Have the first deliveries of a mailing stand where the list says."""
    with database.transaction() as session:
        numbers = session.scalars(select(Delivery.id).where(Delivery.mailing_id == mailing)).all()
        for number, state in zip(numbers, states, strict=False):
            session.execute(update(Delivery).where(Delivery.id == number).values(state=state))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(DeliveryState), min_size=PEOPLE, max_size=PEOPLE))
def test_wherever_the_deliveries_are_each_is_in_its_place(
    database: Database, states: list[DeliveryState]
) -> None:
    mailing, other = make(database, PEOPLE), make(database, 3)
    put(database, mailing, states)
    put(database, other, states)
    with database.reading() as session:
        kept, counted = balance.states(session, mailing), balance.recount(session, mailing)
        account = balance.balance(session, mailing)
    assert {state: number for state, number in kept.items() if number} == counted
    assert account is not None
    assert (account.eligible, account.accepted) == (PEOPLE, states.count(DeliveryState.ACCEPTED))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(DeliveryState), min_size=PEOPLE, max_size=PEOPLE), max_size=4))
def test_however_the_deliveries_move_the_account_follows(
    database: Database, steps: list[list[DeliveryState]]
) -> None:
    mailing = make(database, PEOPLE)
    for states in steps:
        put(database, mailing, states)
        with database.reading() as session:
            assert balance.differences(session, mailing) == []


def test_what_is_not_committed_is_in_no_account(database: Database) -> None:
    mailing = make(database, PEOPLE)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.SKIPPED))
        assert balance.states(session, mailing)[DeliveryState.SKIPPED] == PEOPLE
        raise ZeroDivisionError
    with database.reading() as session:
        assert balance.states(session, mailing)[DeliveryState.PLANNED] == PEOPLE


def test_two_workers_that_move_deliveries_of_one_mailing_do_not_wait_for_each_other(
    database: Database,
) -> None:
    """With one row for both, PostgreSQL would end one of them; on SQLite each has its turn."""
    mailing = make(database, PEOPLE)
    with database.reading() as session:
        first, second, *_ = session.scalars(select(Delivery.id).order_by(Delivery.id)).all()
    move = text("UPDATE deliveries SET state = :state WHERE id = :number")
    with database.engine.connect() as one, database.engine.connect() as other:
        if not database.is_sqlite:
            other.execute(text("SET lock_timeout = '2s'"))
        for worker, number, state in (
            (one, first, "deferred"),
            (other, second, "skipped"),
            (one, first, "skipped"),
            (other, second, "deferred"),
        ):
            worker.execute(move, {"number": number, "state": state})
            if database.is_sqlite:
                worker.commit()
        one.commit()
        other.commit()
    with database.reading() as session:
        assert balance.differences(session, mailing) == []
        found = balance.states(session, mailing)
    assert (found["skipped"], found["deferred"]) == (1, 1)


@pytest.mark.parametrize(
    ("waiting", "later", "due", "said"), [(9, 3, 6, 3), (9, 6, 3, 4), (9, 9, 0, 4), (12, 6, 8, 4)]
)
def test_those_that_wait_for_their_time_are_counted_up_to_a_limit(
    database: Database, monkeypatch: pytest.MonkeyPatch, waiting: int, later: int, due: int, said: int
) -> None:
    """Of many the smaller part is exact; where both are many, all but the limit count as due."""
    monkeypatch.setattr(balance, "MOST", 4)
    mailing, now = make(database, waiting), clock.now()
    with database.transaction() as session:
        numbers = session.scalars(select(Delivery.id).order_by(Delivery.id).limit(later)).all()
        tomorrow = {"next_at": now + timedelta(days=1)}
        session.execute(update(Delivery).where(Delivery.id.in_(numbers)).values(**tomorrow))
        found = balance.progress(session, mailing, now)
    assert found is not None
    assert (found.due, found.later, found.next_try_at) == (due, said, now + timedelta(days=1))


def test_a_mailing_of_a_version_before_is_counted_until_the_worker_has_counted_it(database: Database) -> None:
    mailing, begun = make(database, PEOPLE), make(database, 2)
    put(database, mailing, [DeliveryState.ACCEPTED, DeliveryState.BOUNCED])
    with database.transaction() as session:
        session.execute(update(Mailing).values(recipients=None))
        session.execute(update(Mailing).where(Mailing.id == begun).values(state=MailingState.PLANNING))
        before = balance.balance(session, mailing)
        balance.count_earlier(session)
        rows = session.execute(select(Mailing.id, Mailing.recipients))
        known = {row.id: row.recipients for row in rows}
        assert balance.balance(session, mailing) == before
    assert known == {mailing: PEOPLE, begun: None}


def test_the_pace_of_a_long_mailing_is_that_of_whose_turn_was_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing, now = make(database, 100), clock.now()
    with database.transaction() as session:
        numbers = session.scalars(select(Delivery.id).order_by(Delivery.id).limit(40)).all()
        for place, number in enumerate(numbers):
            # Ten a second, the last one now; the very first long ago.
            at = now - timedelta(seconds=(39 - place) / 10) if place else now - timedelta(hours=1)
            done = {"state": DeliveryState.ACCEPTED, "updated_at": at}
            session.execute(update(Delivery).where(Delivery.id == number).values(**done))
        everybody = balance.progress(session, mailing, now)
        monkeypatch.setattr(balance, "RECENT", 20)
        the_last = balance.progress(session, mailing, now)
    assert everybody is not None
    assert the_last is not None
    assert everybody.per_second == pytest.approx(39 / 3.8)
    assert the_last.per_second == pytest.approx(20 / 1.9)
