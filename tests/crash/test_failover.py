"""The server that is written to dies for good in the middle of an issue, and its replica takes over.

What a replica has depends on how it follows. Synchronous: every commit that was answered, so nothing is
forgotten. Asynchronous: all but the last moments; what was sent in them is to stay with whoever had it.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from blog import clock, migrate, runtime
from blog.db import Database
from blog.delivery import control
from blog.delivery.events import Event
from blog.delivery.models import Delivery, DeliveryState, MailingState
from blog.settings import load_settings
from blog.worker import tasks
from tests.clusters import Server, either, replica, server
from tests.crash import figures
from tests.crash.trials import Field, Verdict, Worker, trial

pytestmark = pytest.mark.crash

RECIPIENTS, CONNECTIONS = 160, 2
#: How many messages go out of which the replica hears nothing.
LAG = 20
ROUNDS = 10 if figures.FULL else 1


@contextmanager
def pair(
    folder: Path, synchronous: bool, policy: str = "hold", wanted: str = "read-write"
) -> Iterator[tuple[Server, Server, Field]]:
    """Have an issue planned on a server that has a replica; the worker knows the addresses of both."""
    folder.mkdir()
    with server() as first, replica(first, synchronous) as second:
        url = either(first, second, wanted)
        database = Database(url)
        try:
            migrate.upgrade(database)
            with trial(database, url, folder, policy, CONNECTIONS, delay=0.004) as field:
                field.plan(RECIPIENTS)
                yield first, second, field
        finally:
            database.dispose()


def fail_over(first: Server, second: Server, seconds: float) -> None:
    first.kill()
    time.sleep(seconds)
    second.promote()


def end(worker: Worker) -> None:
    worker.hear()
    worker.end()


@pytest.mark.parametrize("policy", figures.POLICIES)
@pytest.mark.parametrize("worker_dies", [False, True], ids=["worker-lives", "worker-dies-too"])
def test_a_synchronous_replica_takes_over_and_nothing_is_forgotten(
    tmp_path: Path, policy: str, worker_dies: bool
) -> None:
    chance, found = random.Random(figures.SEED), Verdict()
    for number in range(ROUNDS):
        with pair(tmp_path / str(number), True, policy) as (first, second, field):
            worker = field.start()
            field.wait_for(chance.randint(20, 60))
            first.kill()
            if worker_dies:
                worker.signal(signal.SIGKILL)
            fail_over(first, second, chance.random())
            end(worker)
            field.finish()
            verdict = field.audit()
        assert verdict.wrong == []
        assert verdict.uncertain <= (CONNECTIONS if worker_dies else 0)
        assert verdict.accepted + verdict.uncertain == verdict.planned == RECIPIENTS
        found.planned += verdict.planned
        found.uncertain += verdict.uncertain
    figures.note(
        f"failover to a synchronous replica{', worker is killed too' * worker_dies}", "postgresql", policy,
        failovers=ROUNDS, messages=found.planned, lost=0, doubled=0, uncertain=found.uncertain, balance=True,
    )  # fmt: skip


def test_a_worker_led_to_the_replica_before_it_takes_over_waits(tmp_path: Path) -> None:
    with pair(tmp_path / "pair", True, wanted="any") as (first, second, field):
        worker = field.start()
        field.wait_for(40)
        fail_over(first, second, 1.5)
        end(worker)
        assert "Busy" in (field.job.folder / "worker.log").read_text()
        field.finish()
        verdict = field.audit()
    assert (verdict.wrong, verdict.uncertain, verdict.accepted) == ([], 0, RECIPIENTS)


def forgotten(field: Field) -> set[str]:
    """Return who has had the message without the database knowing of it."""
    with field.database.reading() as session:
        accepted = select(Delivery.address).where(Delivery.state == DeliveryState.ACCEPTED)
        return taken(field).keys() - set(session.scalars(accepted))


def taken(field: Field) -> Counter[str]:
    return Counter(line.split()[0] for line in field.log.read_text().splitlines())


def test_an_asynchronous_replica_takes_over_and_the_issue_waits_for_a_word(tmp_path: Path) -> None:
    with pair(tmp_path / "pair", False) as (first, second, field):
        issue = next(iter(field.issues))
        worker = field.start()
        field.wait_for(40)
        second.ask("ALTER SYSTEM SET primary_conninfo = ''")
        second.ask("SELECT pg_reload_conf()")
        field.wait_for(field.lines() + LAG)
        fail_over(first, second, 0.3)
        end(worker)
        gone = forgotten(field)
        assert len(gone) >= LAG
        assert set(taken(field).values()) == {1}, "somebody has had it twice"
        with field.database.reading() as session:
            assert control.state_of(session, issue) == MailingState.PAUSED
        assert field.run() is None, "the next worker does not look back"
        said = (field.job.folder / "worker.log").read_text()
        assert "delivery.time_went_back" in said
        assert "--after-restore" in said
        go_on(field, issue)
        twice = {address for address, copies in taken(field).items() if copies > 1}
        assert twice <= gone, "more have it twice than the operator was told of"
        assert len(taken(field)) == RECIPIENTS, "somebody is without it"
    figures.note(
        f"failover to an asynchronous replica that lacks {len(gone)} messages, which waits",
        "postgresql", "hold", failovers=1, messages=RECIPIENTS, lost=0, doubled=0, uncertain=0, balance=True,
    )  # fmt: skip


def test_with_two_hosts_both_stop_and_each_waits_for_a_word_of_its_own(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pair(tmp_path / "pair", False) as (first, second, field):
        issue = next(iter(field.issues))
        hosts = [field.start(), field.start(folder=other)]
        field.wait_for(30)
        second.ask("ALTER SYSTEM SET primary_conninfo = ''")
        second.ask("SELECT pg_reload_conf()")
        field.wait_for(field.lines() + 2 * LAG)
        fail_over(first, second, 0.3)
        for worker in hosts:
            end(worker)
        gone, before = forgotten(field), taken(field)
        assert len(gone) >= LAG
        assert {address for address, copies in before.items() if copies > 1} <= gone
        with field.database.reading() as session:
            assert control.state_of(session, issue) == MailingState.PAUSED
        for folder in (field.job.folder, other):
            assert field.run(folder=folder) is None, "a host goes on without a word"
            assert "delivery.time_went_back" in (folder / "worker.log").read_text()
        assert taken(field) == before, "something left while the issue was paused"
        go_on(field, issue, field.job.folder, other)
        copies = taken(field)
        assert {address for address, number in copies.items() if number > 1} <= gone
        assert len(copies) == RECIPIENTS, "somebody is without it"
        assert field.run(folder=other), "the other host does not work again"
    figures.note(
        f"failover to an asynchronous replica that lacks {len(gone)} messages of two hosts, which wait",
        "postgresql", "hold", failovers=1, messages=RECIPIENTS, lost=0, doubled=0, uncertain=0, balance=True,
    )  # fmt: skip


def go_on(field: Field, issue: int, *hosts: Path) -> None:
    """Say what an operator says, on each host, who would rather have some get it twice than not at all."""
    for folder in hosts or (field.job.folder,):
        services = runtime.build(load_settings(
            database_url=field.job.url, var_dir=folder / "var", content_dir=folder,
            secret_key="a-secret-for-tests-only-0123456789abcdef",
        ))  # fmt: skip
        tasks.after_restore(services)
        services.database.dispose()
    with field.database.transaction() as session:
        control.move(session, issue, Event.RESUMED, clock.now())
    field.finish()
