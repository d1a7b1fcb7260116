"""Old code and new code beside one another: each works, or says in one line what to do."""

import io
import itertools
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, DateTime, Float, Integer, LargeBinary, MetaData, Table, select, text
from sqlalchemy.exc import SQLAlchemyError

from blog import migrate, revisions
from blog.db import Database, UTCDateTime
from blog.errors import Busy
from blog.settings import ROOT, Settings
from tests.commanding import refused
from tests.journeys.installation import Installation, fetch, free_port

pytestmark = pytest.mark.slow

REVISIONS = sorted(path.name[:4] for path in (revisions.MIGRATIONS / "versions").glob("[0-9]*_*.py"))
PAIRS = list(itertools.pairwise(REVISIONS))
COMMANDS = [
    ("serve",),
    ("worker", "--until-idle"),
    ("sync",),
    ("digest", "run", "--cadence", "weekly"),
    ("subscribers", "list"),
    ("backup", "x"),
]
#: From before the rule that a migration alters one table of before: PostgreSQL may end one of two that cross.
SEVERAL_TABLES = ("0004", "0005")
#: So often at least readers have asked while upgrades came and went.
ASKED = 30


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_this_code_on_the_schema_of_before_says_in_one_line_what_to_do(
    database: Database, settings: Settings, command: tuple[str, ...]
) -> None:
    migrate.downgrade(database, REVISIONS[-2])
    database.dispose()
    said = refused(settings, *command)
    assert said == "the database is not at this version's schema; run: blog db upgrade"


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_the_tables_as_the_code_of_before_knows_them_work_on_the_next_schema_and_on_the_way_there(
    database: Database, old: str, new: str
) -> None:
    """What the code of before says to a table is what its own schema had in it."""
    migrate.downgrade(database, old)
    tables = _tables(database)
    errors: list[SQLAlchemyError] = []
    stop = threading.Event()

    def write_and_read() -> None:
        number = 0
        while not stop.is_set() and not errors:
            number += 1
            try:
                _use(database, tables, number)
            except SQLAlchemyError as error:
                if new not in SEVERAL_TABLES or "deadlock detected" not in str(error):
                    errors.append(error)
            if new in SEVERAL_TABLES:
                time.sleep(0.05)  # Without a gap PostgreSQL may end the migration each time it is tried.

    old_code = threading.Thread(target=write_and_read)
    old_code.start()
    try:
        _patiently(migrate.upgrade, database, new)
        _use(database, tables, 1_000_000)
    finally:
        stop.set()
        old_code.join()
    assert errors == []


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE issues DROP COLUMN note", "ALTER TABLE plans RENAME COLUMN eligible TO readers"],
)
def test_a_column_that_is_taken_from_the_code_of_before_is_noticed(database: Database, change: str) -> None:
    tables = _tables(database)
    _use(database, tables, 1)
    with database.transaction() as session:
        session.execute(text(change))
    with pytest.raises(SQLAlchemyError):
        _use(database, tables, 2)


def _tables(database: Database) -> list[Table]:
    known = MetaData()
    with database.reading() as session:
        known.reflect(session.connection(), only=lambda name, _: not name.startswith("search_index"))
    return [table for table in known.sorted_tables if table.name != "alembic_version"]


def _patiently(action: Callable[[Database, str], object], database: Database, revision: str) -> None:
    """Do as the message says: again, when whoever is in the way is done."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            action(database, revision)
        except Busy:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the migration never got its turn")


def _use(database: Database, tables: list[Table], number: int) -> None:
    """Fill every old column of every old table, read it, change it."""
    with database.transaction() as session:
        for table in tables:
            row = {column.name: _value(column, number) for column in table.columns}
            session.execute(table.insert(), row)
    with database.transaction() as session:
        for table in tables:
            key = [column == _value(column, number) for column in table.primary_key]
            found = session.execute(select(table).where(*key)).one()
            rest = {c.name: getattr(found, c.name) for c in table.columns if not c.primary_key}
            if rest and table.name != "consent_events":  # which nobody may rewrite
                session.execute(table.update().where(*key).values(rest))


def _value(column: Any, number: int) -> Any:
    if column.name in CHOICES:
        return CHOICES[column.name]
    moment = datetime.fromtimestamp(number, UTC)
    for kind, value in (
        (Boolean, False), (Integer, number), (Float, 0.5), (DateTime, moment), (UTCDateTime, moment),
        (JSON, []), (LargeBinary, b"x"),
    ):  # fmt: skip
        if isinstance(column.type, kind):
            return value
    return str(number)


#: What the database itself checks.
CHOICES = {"cadence": "weekly", "status": "active", "state": "planned"}


def _code_of_before(folder: Path) -> Path:
    """Lay out the tree as it was just before the newest migration came; where history is there."""
    (newest,) = (ROOT / "migrations" / "versions").glob(f"{revisions.head()}_*.py")
    git = ["git", "-C", str(ROOT)]
    # It may have come by a merge, which is one step of the first parent's line.
    line = ["log", "-m", "--first-parent", "--diff-filter=A", "--format=%H"]
    asked = [*git, *line, "--", str(newest.relative_to(ROOT))]
    added = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    packed = subprocess.run(
        [*git, "archive", f"{added[-1] if added else 'none'}^", "blog", "migrations", "templates", "wsgi.py"],
        capture_output=True,
        check=False,
    )
    if packed.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs git and the history of this tree")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def test_the_release_of_before_loses_no_request_during_ten_upgrades(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    tree = _code_of_before(tmp_path / "tree")
    site = Installation(tmp_path, database_url, smtp_port=1, port=free_port())
    site.write("first-piece", title="First", date="2026-01-02")
    migrate.downgrade(database, REVISIONS[-2])
    environment = site.environment | {"PYTHONPATH": str(tree)}
    old = [sys.executable, "-m", "blog.cli"]
    subprocess.run([*old, "sync"], env=environment, cwd=tree, check=True, capture_output=True)
    server = subprocess.Popen(
        [*old, "serve", "--port", str(site.port)], env=environment, cwd=tree, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            body = f"email=reader{number}%40example.org".encode()
            paths = [("/articles/first-piece", None), ("/search?q=some", None), ("/subscribe", body)]
            statuses.extend(fetch(site.site + path, data).status for path, data in paths)

    readers = threading.Thread(target=ask)
    try:
        site._wait_until_up(server)
        assert fetch(f"{site.site}/readyz").body == "ready\n"
        readers.start()
        upgrades = 0
        # Where ten are over before readers have asked often enough, they go on.
        while upgrades < 10 or (len(statuses) <= ASKED and readers.is_alive()):
            _patiently(migrate.upgrade, database, "head")
            time.sleep(0.02)
            _patiently(migrate.downgrade, database, REVISIONS[-2])
            upgrades += 1
    finally:
        stop.set()
        if readers.is_alive():
            readers.join()
        os.killpg(server.pid, 15)
        server.wait(20)
    assert len(statuses) > ASKED
    assert {status for status in statuses if status >= 500} == set(), "not one request failed"
    assert statuses.count(200) > 20
