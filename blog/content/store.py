"""Many small values kept from run to run in one SQLite file, which can be deleted at any time.

A file each costs the file system more to make than its bytes to write. Several threads and
processes may use one store at once. The disk is not waited for: a value is kept with its hash, so what a
power cut takes or damages is made anew.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

#: What another process, that is still at it, may want is left alone.
RECENT_SECONDS = 3_600
_BUSY_SECONDS = 10.0
_SETUP = """
PRAGMA page_size = 8192;
PRAGMA journal_mode = wal;
PRAGMA synchronous = off;
CREATE TABLE IF NOT EXISTS kept (
  name TEXT PRIMARY KEY, at REAL NOT NULL, hash BLOB NOT NULL, data BLOB NOT NULL
);
"""

Outcome = TypeVar("Outcome")


class Store:
    """Values by name; where the file cannot be read or written, nothing is found and nothing kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __getstate__(self) -> Path:
        return self._path

    def __setstate__(self, path: Path) -> None:
        self.__init__(path)  # type: ignore[misc]

    def __del__(self) -> None:
        if self._connection:
            self._connection.close()

    def get(self, name: str) -> bytes | None:
        """Return what is kept under a name, if it is there and whole."""
        row = self._tried(lambda kept: kept.execute(_GET, (name,)).fetchone())
        return row[1] if row and _hash(row[1]) == row[0] else None

    def put(self, name: str, data: bytes) -> bool:
        """Keep a value; return whether that could be done."""
        row = name, _hash(data), data, time.time()
        return self._tried(lambda kept: kept.execute(_PUT, row)) is not None

    def keep_only(self, names: Collection[str]) -> None:
        """Forget all values but those with these names and those that are recent."""
        recent = time.time() - RECENT_SECONDS
        old = self._tried(lambda kept: kept.execute(_OLD, (recent,)).fetchall()) or []
        unused = [row for row in old if row[0] not in names]
        if unused:
            self._tried(lambda kept: kept.executemany(_DROP, unused))

    def _tried(self, act: Callable[[sqlite3.Connection], Outcome]) -> Outcome | None:
        with self._lock:
            try:
                self._connection = self._connection or self._opened()
                return act(self._connection)
            except (sqlite3.OperationalError, OSError):  # busy, full, or not to be written
                return None
            except sqlite3.DatabaseError:  # no database, or a damaged one
                self._begin_anew()
                return None

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        made = sqlite3.connect(self._path, _BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            made.executescript(_SETUP)
        except sqlite3.Error:
            made.close()
            raise
        return made

    def _begin_anew(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + end).unlink()


_GET = "SELECT hash, data FROM kept WHERE name = ?"
_PUT = "INSERT OR REPLACE INTO kept (name, hash, data, at) VALUES (?, ?, ?, ?)"
_OLD = "SELECT name FROM kept WHERE at < ?"
_DROP = "DELETE FROM kept WHERE name = ?"


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
