"""The database: no lost update, no naive time, and busy is said as such."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError, DBAPIError, StatementError

from blog import clock, db
from blog.db import Database
from blog.delivery.models import Mailing
from blog.errors import Busy
from tests.mailings import make_mailing


def test_read_modify_write_on_four_threads_loses_nothing(database: Database) -> None:
    with database.transaction() as session:
        mailing = make_mailing(session, 0, clock.now())
        session.execute(update(Mailing).values(kind="0"))

    def work() -> None:
        for _ in range(25):
            with database.transaction() as session:
                row = session.scalars(select(Mailing).where(Mailing.id == mailing).with_for_update()).one()
                row.kind = str(int(row.kind) + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalars(select(Mailing.kind)).one() == "100"


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        make_mailing(session, 3, clock.now())
        raise RuntimeError
    with database.reading() as session:
        assert session.scalars(select(Mailing)).all() == []


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseError), database.reading() as session:
        make_mailing(session, 1, clock.now())


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(database: Database) -> None:
    given = datetime(2026, 11, 24, 12, 0, 0, 123456, timezone(timedelta(hours=5, minutes=30)))
    with database.transaction() as session:
        make_mailing(session, 0, given)
    with database.reading() as session:
        found = session.scalars(select(Mailing.created_at)).one()
    assert found == given
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError), database.transaction() as session:
        make_mailing(session, 0, datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.fixture
def locked(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A SQLite database that another program holds."""
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.1)
    path = tmp_path / "locked.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = Database(f"sqlite:///{path}")
    yield database
    other.close()
    database.dispose()


def test_a_database_held_by_another_program_is_busy_and_still_read(locked: Database) -> None:
    with pytest.raises(db.Busy, match="nothing was stored"), locked.transaction() as session:
        make_mailing(session, 1, clock.now())
    with locked.reading() as session:
        assert session.scalars(select(Mailing)).all() == []


def test_a_commit_of_whomever_is_counted_and_reading_is_not(database: Database) -> None:
    before = database.counted_commits()
    with database.reading() as session:
        session.scalars(select(Mailing)).all()
    assert database.counted_commits() == before
    with database.transaction() as session:
        make_mailing(session, 0, clock.now())
    assert (database.counted_commits() != before) is database.is_sqlite
    other = Database(database.url.render_as_string(hide_password=False))
    before = database.counted_commits()
    with other.transaction() as session:
        make_mailing(session, 0, clock.now())
    other.dispose()
    assert (database.counted_commits() != before) is database.is_sqlite
    assert (before is None) is not database.is_sqlite


def test_sqlite_is_durable_and_checks_its_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    with database.transaction() as session:
        pragmas = [
            session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.dispose()
    assert pragmas == ["wal", 2, 1]


def test_a_process_that_freezes_in_a_transaction_gives_its_rows_back(
    postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "IDLE_TIMEOUT", "100ms")
    frozen = Database(postgresql_server)
    with pytest.raises(DBAPIError, match="idle-in-transaction") as ended, frozen.transaction() as session:
        session.execute(text("SELECT 1"))
        time.sleep(0.5)
        session.execute(text("SELECT 1"))
    assert ended.value.connection_invalidated
    with frozen.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1, "the next one is sound again"
    frozen.dispose()


def test_a_host_that_is_gone_is_noticed_within_half_a_minute_unless_the_url_says_otherwise(
    postgresql_server: str,
) -> None:
    def said(url: str) -> dict[str, str]:
        database = Database(url)
        with database.engine.connect() as connection:
            found = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
            assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == db.IDLE_TIMEOUT
        database.dispose()
        return dict(found)

    by_itself = said(postgresql_server)
    assert {name: int(by_itself[name]) for name in db.LIVENESS} == db.LIVENESS
    assert db.LIVENESS["tcp_user_timeout"] <= 30_000
    parted = "&" if "?" in postgresql_server else "?"
    assert said(f"{postgresql_server}{parted}tcp_user_timeout=1234")["tcp_user_timeout"] == "1234"


def test_a_database_that_can_only_be_read_is_busy_for_who_wants_to_write(
    postgresql_server: str,
) -> None:
    parted = "&" if "?" in postgresql_server else "?"
    database = Database(f"{postgresql_server}{parted}options=-c%20default_transaction_read_only%3Don")
    with pytest.raises(Busy, match="replica"), database.transaction() as session:
        session.execute(text("CREATE TABLE never (id INTEGER)"))
    database.dispose()
