"""A backup taken in the middle of an issue is put back at its end: nobody is mailed again by that."""

import shutil
import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from blog import clock, runtime
from blog.db import Database
from blog.delivery import control
from blog.delivery.events import Event
from blog.delivery.models import MailingState
from blog.settings import load_settings
from blog.worker import tasks
from tests.crash import figures
from tests.crash.trials import Field, trial

pytestmark = pytest.mark.crash


#: What the sender writes to; on PostgreSQL a backup is a copy of these in a schema of its own.
TABLES = ("deliveries", "delivery_events", "mailings", "tallies")


def back_up(database: Database) -> None:
    """Keep a copy of everything as it is now, while nobody works with it."""
    with database.transaction() as session:
        session.execute(text("SELECT 1" if database.is_sqlite else "CREATE SCHEMA kept"))
        for table in () if database.is_sqlite else TABLES:
            session.execute(text(f"CREATE TABLE kept.{table} AS TABLE {table}"))
    # The last to close a SQLite file brings its log into it; a log left beside a restored file undoes that.
    database.dispose()
    if database.is_sqlite:
        shutil.copy(str(database.url.database), f"{database.url.database}.kept")


def restore(database: Database) -> None:
    """Put the copy back."""
    if database.is_sqlite:
        Path(f"{database.url.database}-wal").unlink(missing_ok=True)
        shutil.copy(f"{database.url.database}.kept", str(database.url.database))
        return
    with database.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))  # tables refer to one another
        for table in TABLES:
            session.execute(text(f"DELETE FROM {table}"))
        for table in reversed(TABLES):
            session.execute(text(f"INSERT INTO {table} SELECT * FROM kept.{table}"))
        session.execute(text("DROP SCHEMA kept CASCADE"))


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
    database: Database, database_url: str, tmp_path: Path, engine: str
) -> None:
    with trial(database, database_url, tmp_path, delay=0.003) as field:
        issue = begin(field)
        back_up(database)
        field.run()
        assert field.lines() == 60
        database.dispose()
        restore(database)
        for _ in range(2):
            assert field.run() is None
        assert "--after-restore" in (tmp_path / "worker.log").read_text()
        services = runtime.build(load_settings(
            database_url=database_url, var_dir=tmp_path / "var", content_dir=tmp_path,
            secret_key="a-secret-for-tests-only-0123456789abcdef",
        ))  # fmt: skip
        assert tasks.after_restore(services) == [issue]
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
