"""The runs find what they are there to find: each of fifteen seeded bugs, and nothing where there is none."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from blog import clock
from blog.db import Database
from blog.delivery import witness
from blog.delivery.models import Delivery, Mailing, MailingState
from blog.delivery.states import LEASE
from blog.delivery.suppression import Reason, suppress
from tests.crash import figures, tracing
from tests.crash.seeded_bugs import BUGS
from tests.crash.test_faults import freeze
from tests.crash.trials import Field, trial

pytestmark = pytest.mark.crash

RECIPIENTS, CONNECTIONS = 30, 2


def kill(field: Field, bug: str) -> list[str]:
    """Kill a worker in the middle, three times; let another finish, which also tells its balance."""
    field.plan(RECIPIENTS)
    for _ in range(3):
        worker = field.start(bug=bug)
        field.wait_for(field.lines() + 5, seconds=3)
        worker.signal(signal.SIGKILL)
        worker.end()
        # A worker that had recorded too little would be refused, as if the database had been restored.
        witness.forget(field.job.folder / "var" / "slots")
    field.finish(bug=bug)
    return field.audit().wrong + field.balances_told()


def lost_answer(field: Field, bug: str) -> list[str]:
    """Have the connection break after each reader's first final dot."""
    field.plan(RECIPIENTS // 3)
    field.finish(bug=bug)
    return field.audit().wrong


def greylisting(field: Field, bug: str) -> list[str]:
    """Have the relay put each reader off once: everybody is to get it in the end."""
    field.plan(RECIPIENTS)
    field.finish(bug=bug)
    found = field.audit()
    return found.wrong + [f"{found.refused} given up"] * (found.refused > 0)


def opt_out(field: Field, bug: str) -> list[str]:
    """Have the last reader leave while the first are being sent to."""
    field.plan(RECIPIENTS)
    worker = field.start(bug=bug)
    field.wait_for(5)
    with field.database.transaction() as session:
        last = session.scalars(select(Delivery).order_by(Delivery.id.desc()).limit(1)).one()
        suppress(session, last.address_hash, Reason.UNSUBSCRIBED, clock.now())
        address = last.address
    worker.hear()
    worker.end()
    mailed = [f"{address} is mailed after leaving"] * (f"{address} " in field.log.read_text())
    return field.audit().wrong + mailed


def two_workers(field: Field, bug: str) -> list[str]:
    """Have a second worker join: nobody dies, so nothing may be in doubt."""
    field.plan(8 * RECIPIENTS)
    first = field.start(bug=bug)
    field.wait_for(3)
    for worker in (field.start(bug=bug), first):
        worker.hear()
        worker.end()
    with field.database.reading() as session:
        if session.scalar(select(Mailing.state)) == MailingState.PAUSED:
            # What was accepted is in hand again: the workers themselves have noticed.
            return ["paused, as if the database had come from a backup"]
    field.finish(bug=bug)
    found = field.audit()
    return found.wrong + [f"{found.uncertain} in doubt, and nobody died"] * (found.uncertain > 0)


def frozen(field: Field, bug: str) -> list[str]:
    """Freeze a worker for longer than its lease while another finishes."""
    field.plan(RECIPIENTS)
    worker = field.start(bug=bug)
    field.wait_for(5)
    freeze(field, worker)
    field.move_clock(2 * LEASE)
    field.run(bug=bug)
    worker.signal(signal.SIGCONT)
    worker.hear()
    worker.end()
    field.finish(bug=bug)
    return field.audit().wrong


def failing_disk(field: Field, bug: str) -> list[str]:
    """Have every write to disk fail from some moment on, for a second; then kill the worker."""
    tracing.needs_strace()
    field.plan(RECIPIENTS)
    worker = field.start(bug=bug, halt=True)
    inject = ["-e", "trace=fdatasync,pwrite64", "-e", "inject=fdatasync,pwrite64:error=EIO:when=40+"]
    with tracing.traced(worker.hear(), field.log.with_name("strace.log"), *inject):
        worker.pipe.send("go")
        time.sleep(1)
        worker.signal(signal.SIGKILL)
        worker.end()
    field.finish()
    return field.audit().wrong


def told_to_stop(field: Field, bug: str) -> list[str]:
    """Send SIGTERM in the middle, three times: nothing may be in doubt."""
    field.plan(RECIPIENTS)
    for _ in range(3):
        worker = field.start(bug=bug)
        field.wait_for(field.lines() + 4, seconds=3)
        worker.signal(signal.SIGTERM)
        worker.end()
    field.finish(bug=bug)
    found = field.audit()
    return found.wrong + [f"{found.uncertain} in doubt after SIGTERM"] * (found.uncertain > 0)


#: Each run, the policy it is made under, and what the relay does to each reader the first time.
RUNS: dict[str, tuple[Callable[[Field, str], list[str]], str, str]] = {
    "kill": (kill, "hold", ""),
    "lost answer": (lost_answer, "hold", "drop after dot, accepted"),
    "lost answer, resend": (lost_answer, "resend", "drop after dot, accepted"),
    "greylisting": (greylisting, "hold", "rcpt 451"),
    "opt-out": (opt_out, "hold", ""),
    "two workers": (two_workers, "hold", ""),
    "freeze": (frozen, "hold", ""),
    "failing disk": (failing_disk, "hold", ""),
    "SIGTERM": (told_to_stop, "hold", ""),
}
#: Only SQLite's writes to disk are the worker's own.
ON_SQLITE = "failing disk"
ANYWHERE = [name for name in RUNS if name != ON_SQLITE]
STEP = 7 if figures.BRIEF else 1
#: CI has time for a few, on one database.
on_both = pytest.mark.sqlite if figures.BRIEF else pytest.mark.crash


def perform(database: Database, url: str, folder: Path, name: str, bug: str = "") -> list[str]:
    run, policy, once = RUNS[name]
    with trial(database, url, folder, policy, CONNECTIONS, delay=0.006, once=once) as field:
        return run(field, bug)


def catch(database: Database, url: str, folder: Path, bug: str) -> None:
    """Have the run that is meant for a bug find it."""
    name = BUGS[bug][1]
    wrong = perform(database, url, folder, name, bug)
    engine = "sqlite" if database.is_sqlite else "postgresql"
    figures.note("seeded bug", engine, RUNS[name][1], bug=bug, by=name, caught=wrong[:1])
    assert wrong


@on_both
@pytest.mark.parametrize("bug", [bug for bug in BUGS if BUGS[bug][1] != ON_SQLITE][::STEP])
def test_a_seeded_bug_is_caught(database: Database, database_url: str, tmp_path: Path, bug: str) -> None:
    catch(database, database_url, tmp_path, bug)


@pytest.mark.sqlite
@pytest.mark.parametrize("bug", [bug for bug in BUGS if BUGS[bug][1] == ON_SQLITE])
def test_a_seeded_bug_of_the_disk_is_caught(
    database: Database, database_url: str, tmp_path: Path, bug: str
) -> None:
    catch(database, database_url, tmp_path, bug)


@on_both
@pytest.mark.parametrize("name", ANYWHERE[::STEP])
def test_without_a_bug_the_same_run_finds_nothing(
    database: Database, database_url: str, tmp_path: Path, name: str
) -> None:
    assert perform(database, database_url, tmp_path, name) == []


@pytest.mark.sqlite
def test_without_a_bug_a_failing_disk_costs_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    assert perform(database, database_url, tmp_path, ON_SQLITE) == []
