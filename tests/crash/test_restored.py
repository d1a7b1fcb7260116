"""A backup taken in the middle of an issue is put back at its end: nobody is mailed again by that."""

import shutil
import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from blog import clock, runtime, worker
from blog.db import Database
from blog.delivery import control
from blog.delivery.events import Event
from blog.delivery.models import MailingState
from blog.settings import load_settings
from tests.conftest import _run_outside_transaction
from tests.crash import figures
from tests.crash.trials import Field, trial

pytestmark = pytest.mark.crash


def copy(database: Database, server: str, source: str, target: str) -> None:
    """Copy a whole database, as a backup and its restoring do, while nobody works with it."""
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
    # The last to close a SQLite file brings its log into it; a log left beside a restored file undoes that.
    database.dispose()
    if database.is_sqlite:
        Path(f"{target}-wal").unlink(missing_ok=True)
        shutil.copy(source, target)
        return
    _run_outside_transaction(server, f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
    _run_outside_transaction(server, f"CREATE DATABASE {target} TEMPLATE {source}")


def begin(field: Field) -> int:
    """Send some of an issue, and stop."""
    issue = field.plan(60)
    first = field.start()
    field.wait_for(20)
    first.signal(signal.SIGTERM)
    first.hear()
    first.end()
    return issue


def test_a_restored_backup_sends_nothing(
    database: Database, database_url: str, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("postgresql_server") if engine == "postgresql" else ""
    place = str(database.url.database)
    backup = f"{place}_backup"
    with trial(database, database_url, tmp_path, delay=0.003) as field:
        issue = begin(field)
        copy(database, server, place, backup)
        field.run()
        assert field.lines() == 60
        copy(database, server, backup, place)
        for _ in range(2):
            assert field.run() is None
        assert "--after-restore" in (tmp_path / "worker.log").read_text()
        services = runtime.build(load_settings(
            database_url=database_url, var_dir=tmp_path / "var", content_dir=tmp_path,
            secret_key="a-secret-for-tests-only-0123456789abcdef",
        ))  # fmt: skip
        assert worker.after_restore(services) == [issue]
        services.database.dispose()
        assert field.run() is not None
        with database.reading() as session:
            assert control.state_of(session, issue) == MailingState.PAUSED
        assert field.lines() == 60
        figures.note("a restored backup", engine, "hold", messages=60, sent_after_it=field.lines() - 60)
        with database.transaction() as session:
            control.move(session, issue, Event.CANCELLED, clock.now())
        field.run()
        assert field.lines() == 60
    if engine == "postgresql":
        _run_outside_transaction(server, f"DROP DATABASE {backup} WITH (FORCE)")
