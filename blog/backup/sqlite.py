"""SQLite: copied page by page under one read transaction, put back as a whole file."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from blog.backup.archive import Damaged
from blog.errors import BlogError

SUFFIXES = ("-wal", "-shm")


def copy(source: Path, target: Path) -> tuple[str, dict[str, int]]:
    """Copy a database that is in use; return its revision and the rows of each table of the copy."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")
    return examine(target)


def examine(path: Path) -> tuple[str, dict[str, int]]:
    """Return the revision and the rows of each table; raise `Damaged` if SQLite finds a fault."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as found:
            fault = found.execute("PRAGMA integrity_check(1)").fetchone()[0]
            orphan = found.execute("PRAGMA foreign_key_check").fetchone()
            if fault != "ok" or orphan:
                raise Damaged(
                    f"the database in it is damaged: {fault if fault != 'ok' else f'orphans in {orphan[0]}'}"
                )
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            names = sorted(row[0] for row in found.execute(query))
            rows = {name: found.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
            return str(found.execute("SELECT version_num FROM alembic_version").fetchone()[0]), rows
    except sqlite3.DatabaseError as error:
        raise Damaged(f"the database in it cannot be used: {error}") from None


def put_back(data: Path, target: Path, kept: Path) -> None:
    """Put a database in the place of another, which is kept; raise `BlogError` while that is in use."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.restored")
    shutil.copyfile(data, fresh)
    with closing(sqlite3.connect(fresh)) as new:
        new.execute("PRAGMA journal_mode=WAL")  # while we are alone with it; later somebody may be reading
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    if target.exists():
        _settle(target)
        for suffix in SUFFIXES:
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        target.replace(kept)
    fresh.replace(target)


def _settle(target: Path) -> None:
    """Bring everything into the one file; who still works with the database keeps us from it."""
    try:
        with closing(sqlite3.connect(target, timeout=1)) as old:
            old.execute("PRAGMA locking_mode=EXCLUSIVE")
            busy = old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            old.execute("BEGIN EXCLUSIVE")
            old.rollback()
    except sqlite3.DatabaseError as error:
        busy = 1 if "lock" in str(error) else 0  # one that is damaged is kept as it is
    if busy:
        raise BlogError(f"{target} is in use; stop the web server and the workers first")
