"""Whose turn it is: one of many that ask at once, and nobody waits for a clock that runs ahead."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from blog import clock, ticks
from blog.db import Database

PERIOD = timedelta(seconds=10)


def ask(database: Database, late: timedelta = timedelta()) -> bool:
    with database.transaction() as session:
        return ticks.claim(session, "send", PERIOD, clock.now() + late)


def test_of_many_schedulers_that_tick_at_once_one_has_the_turn(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: ask(database), range(24))) == 1


def test_the_next_turn_comes_with_the_period_even_if_the_tick_is_a_moment_early(database: Database) -> None:
    assert ask(database)
    assert not ask(database, PERIOD / 2)
    assert ask(database, PERIOD * 0.9)
    assert not ask(database, PERIOD)


def test_a_scheduler_whose_clock_is_ten_minutes_ahead_or_behind_holds_nobody_up(database: Database) -> None:
    assert ask(database, timedelta(minutes=10))
    assert ask(database)
    assert ask(database, timedelta(minutes=10))
    assert ask(database, -timedelta(minutes=10))
    assert ask(database)


def test_a_turn_that_has_begun_leaves_the_next_one_to_the_next_tick(database: Database) -> None:
    assert ask(database)
    with database.transaction() as session:
        ticks.due_now(session, "send", clock.now())
    assert ask(database)
    assert not ask(database)


def test_work_that_is_put_off_waits_whoever_asks(database: Database) -> None:
    assert ask(database)
    with database.transaction() as session:
        ticks.put_off(session, "send", clock.now() + timedelta(seconds=60))
    assert not ask(database, timedelta(seconds=55))
    assert ask(database, timedelta(seconds=61))
