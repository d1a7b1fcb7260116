"""The database: a writing and a reading engine, the transactions that doors open, and the column types.

SQLite: WAL, `synchronous=FULL` (an acknowledged unsubscribe survives a power cut), and a write ticket: a
cross-process `flock` taken before `BEGIN IMMEDIATE`, since SQLite's own busy handler polls, and so
starves the sender under a flood of sign-ups.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    PoolProxiedConnection,
    any_,
    bindparam,
    create_engine,
    event,
)
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, sessionmaker
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeDecorator

from blog.errors import Busy

BUSY_SECONDS = 10
#: Set in a session's `info`: something is due at once, and a worker would like to hear of it.
DUE = "due"
LOCK_TIMEOUT = "4s"
#: A process that is frozen, or whose host is gone, in the middle of a transaction keeps its rows locked; the
#: server ends it after this. Less than the lease of a delivery, after which others want those rows.
IDLE_TIMEOUT = "5min"
#: A host that has been cut off answers nothing, not even with a refusal. By itself Linux would wait for it a
#: quarter of an hour (tcp_retries2), or two hours with nothing under way (RFC 1122 §4.2.3.6). The URL may say
#: otherwise.
LIVENESS = {
    "connect_timeout": BUSY_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
#: The other way round: the server gives up a client that is gone, and with it the rows that it holds locked.
FROM_THE_SERVER = (
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
)
#: SQLSTATE of a write where only reading is possible.
READ_ONLY = "25006"

#: Each thread that makes pages has a connection, and each of these would keep 2 MB of a file that the system
#: keeps already; pages and searches were measured to take no longer with a fifth of it.
READING_KB = 400

#: A 64-bit key; SQLite numbers rows by itself only where the type says INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """What every table shares: constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def among(dialect: str, column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Return whether a column is one of the values that will be bound to a name.

    PostgreSQL takes them as one value: sixty of them by themselves cost as much as reading the rows.
    """
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    return column.in_(bindparam(name, expanding=True))


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time on both databases; SQLite drops zones, so a naive value is refused, never guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Ticket:
    """A cross-process lock whose waiters sleep in the kernel's queue instead of polling."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.local()

    def __enter__(self) -> None:
        fcntl.flock(self._descriptor(), fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._descriptor(), fcntl.LOCK_UN)

    def _descriptor(self) -> int:
        # One open file per thread and process: flock belongs to the open file, and a fork shares it.
        kept = getattr(self._thread, "kept", None)
        if kept is None or kept[0] != os.getpid():
            kept = (os.getpid(), os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._thread.kept = kept
        return int(kept[1])


class Database:
    """Where the rows live; doors open `transaction()` to write and `reading()` to read.

    `commits` counts the transactions of this process that pages may show: who keeps what was read can tell
    that it may be old. `hint` is called after a commit that made something due.
    """

    commits = 0

    def __init__(self, url: str, hint: Callable[[], None] | None = None) -> None:
        self.url = make_url(url)
        self._hint = hint
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._ticket: Ticket | None = None
        if self.is_sqlite:
            path = Path(self.url.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._ticket = Ticket(path.with_name(path.name + ".ticket"))
            self.engine = _sqlite_engine(url, "BEGIN IMMEDIATE")
            self.read_engine = _sqlite_engine(url, "BEGIN", query_only=True)
        else:
            self.engine = _postgresql_engine(url)
            self.read_engine = self.engine.execution_options(
                postgresql_readonly=True,
                # All queries of one page see the same moment; between two of them a sync may be stored.
                isolation_level="REPEATABLE READ",
            )
        self._watch = _Watch(self.read_engine) if self.is_sqlite else None
        self._writing = sessionmaker(self.engine, expire_on_commit=False)
        self._reading = sessionmaker(self.read_engine, expire_on_commit=False)

    @contextmanager
    def transaction(self, shown: bool = True) -> Iterator[Session]:
        """Open a transaction that writes: committed at the end, rolled back on any error.

        No public page shows what one does that is not `shown`.
        """
        with self._exclusive(), _busy_as_such(), _replica_as_such(), self._writing.begin() as session:
            yield session
        Database.commits += shown
        if self._hint and session.info.get(DUE):
            self._hint()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that can only read."""
        with _busy_as_such(), self._reading() as session:
            yield session

    def counted_commits(self) -> int | None:
        """Return a number that is another after every commit of anybody, in microseconds; None if unknown.

        To be asked by one thread at a time, and before what is to be kept is read.
        """
        return self._watch.number() if self._watch else None

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if self._ticket is None:
            yield
            return
        with self._ticket:
            yield

    def dispose(self) -> None:
        """Close every connection; the last one to close a SQLite file checkpoints, so it holds the ticket."""
        with self._exclusive():
            if self._watch:
                self._watch.close()
            self.engine.dispose()
            self.read_engine.dispose()


class _Watch:
    """Tells from a connection of its own, which never writes, whether a SQLite file has changed.

    `PRAGMA data_version` looks at a few bytes of shared memory; a transaction costs many times as much.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None

    def number(self) -> int | None:
        try:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            return int(self._connection.cursor().execute("PRAGMA data_version").fetchone()[0])
        except (sqlite3.Error, OperationalError):
            self.close()
            return None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def _busy_as_such() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "database is locked" in str(error.orig):
            raise Busy("the database is held by another program; nothing was stored, try again") from error
        raise


@contextmanager
def _replica_as_such() -> Iterator[None]:
    try:
        yield
    except InternalError as error:
        if getattr(error.orig, "sqlstate", "") == READ_ONLY:
            raise Busy(
                "the database can only be read, as a replica that has not taken over yet; try again"
            ) from error
        raise


class _Hinting(SQLiteCompiler):
    """Says `INDEXED BY` where a statement asks for it by `with_hint`; SQLAlchemy leaves it out for SQLite."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        del table
        return text


def _postgresql_engine(url: str) -> Engine:
    said = make_url(url).query
    unsaid = {name: value for name, value in LIVENESS.items() if name not in said}
    engine = create_engine(url, pool_pre_ping=True, connect_args=unsaid)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}'; {FROM_THE_SERVER}")
        connection.commit()

    return engine


def _sqlite_engine(url: str, begin: str, query_only: bool = False) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    engine.dialect.statement_compiler = _Hinting

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # The driver's own BEGIN is deferred: two that read and then write lose each other's updates silently.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if query_only:
            connection.execute("PRAGMA query_only=ON")
            connection.execute(f"PRAGMA cache_size=-{READING_KB}")

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
