"""Everything of one database into another, of the same kind or the other: all of it, proven, or nothing."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from sqlalchemy import Dialect, Row, Table, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from blog.content.progress import Progress
from blog.db import LOCK_TIMEOUT, Database
from blog.delivery import tallies
from blog.delivery.models import Tally
from blog.errors import BlogError, UsageError
from blog.schema import metadata

#: The templates of a large issue's variants, 80 KB each, still fit into memory so many at a time.
AT_ONCE = 500
#: Not what PostgreSQL keeps of what the others hold.
TABLES: Sequence[Table] = [table for table in metadata.sorted_tables if table.name != Tally.__tablename__]


@dataclass(frozen=True)
class Sum:
    """What a table holds, whatever the order: how many rows, and their digests added up."""

    rows: int = 0
    digest: int = 0

    def __str__(self) -> str:
        return f"{self.digest:032x}"


def move(source: Database, target: Database, progress: Progress | None = None) -> dict[str, Sum]:
    """Copy every row into an empty database of the newest schema; return what each table holds.

    Nobody writes to either meanwhile. What was written is read again and compared before it is committed.
    """
    with source.transaction(shown=False) as old, target.transaction(shown=False) as new:
        _hold(old, source)
        _hold(new, target)
        _refuse_filled(new)
        counting = _Counting(progress, sum(_count(old, table) for table in TABLES))
        given = {}
        for table in TABLES:
            try:
                given[table.name] = _copied(old, new, table, counting)
                _go_on_counting(new, table)
            except (SQLAlchemyError, psycopg.Error) as error:
                cause = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
                raise BlogError(f"{table.name}: {cause}; the new database is as empty as before") from None
        for table in TABLES:
            if _read(new, table) != given[table.name]:
                raise BlogError(
                    f"{table.name} does not read as it was written; the new database is as empty as before"
                )
        if tallies.are_kept(new):
            tallies.begin_anew(new)
        if not target.is_sqlite:
            new.execute(text("ANALYZE"))  # or the first digest is planned by guesses
    return given


def _hold(session: Session, database: Database) -> None:
    """Keep writers out until the end; the write ticket has done so for SQLite."""
    if not database.is_sqlite:
        names = ", ".join(f'"{table.name}"' for table in TABLES)
        session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def _refuse_filled(session: Session) -> None:
    for table in TABLES:
        if session.execute(select(*table.primary_key).limit(1)).first():
            raise UsageError(f"the new database has rows already (in {table.name}); name an empty one")


def _count(session: Session, table: Table) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _copied(old: Session, new: Session, table: Table, counting: "_Counting") -> Sum:
    rows, digest = 0, 0
    for part in _parts(old, table):
        _write(new, table, part)
        rows, digest = rows + len(part), _added(digest, part)
        counting.add(len(part))
    return Sum(rows, digest)


def _read(session: Session, table: Table) -> Sum:
    rows, digest = 0, 0
    for part in _parts(session, table):
        rows, digest = rows + len(part), _added(digest, part)
    return Sum(rows, digest)


def _parts(session: Session, table: Table) -> Iterator[Sequence[Row[Any]]]:
    return session.execute(select(table).execution_options(yield_per=AT_ONCE)).partitions()


def _added(digest: int, rows: Sequence[Row[Any]]) -> int:
    """Add the rows' digests: the databases sort text differently, so no order can be relied on."""
    for row in rows:
        seen = hashlib.blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=16)
        digest += int.from_bytes(seen.digest())
    return digest % 2**128


def _write(session: Session, table: Table, rows: Sequence[Row[Any]]) -> None:
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        session.execute(insert(table), [dict(row._mapping) for row in rows])
        return
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    prepare = _prepared(table, connection.dialect)
    driver: psycopg.Connection[Any] = cast("Any", connection.connection.driver_connection)
    # Several times as fast as INSERT (benchmarks/moving.py).
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(
                [value if make is None else make(value) for make, value in zip(prepare, row, strict=True)]
            )


def _prepared(table: Table, dialect: Dialect) -> list[Any]:
    """Return what makes of each column's value what the driver takes: COPY goes around SQLAlchemy."""
    return [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]


def _go_on_counting(session: Session, table: Table) -> None:
    """Have PostgreSQL number new rows after those that were brought; SQLite looks at the rows themselves."""
    key = list(table.primary_key)
    if session.connection().dialect.name != "postgresql" or len(key) != 1:
        return
    sequence = session.scalar(select(func.pg_get_serial_sequence(table.name, key[0].name)))
    if sequence and (last := session.scalar(select(func.max(key[0])))):
        session.execute(select(func.setval(sequence, last)))


class _Counting:
    """How many rows of all are done, told to whoever wants to know."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, rows: int) -> None:
        self._done += rows
        if self._progress:
            self._progress(self._done, self._total)
