"""One PostgreSQL database for test after test: emptied in between, made anew when a test changed its shape.

Making a database and dropping it takes 125 ms on a quiet disk and a second on a busy one; deleting the few
rows that a test leaves takes ten. There are 1,600 such tests.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from blog import migrate
from blog.db import Database

#: What is deleted stays in the files for a while, and slows the next test down.
MOST_ROWS = 2_000


class Kept:
    """The database of one test process; `url` is where the next test finds it, migrated and empty."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._template = _new(server)
        database = Database(_named(server, self._template))
        migrate.upgrade(database)
        database.dispose()
        self._begin()

    def _begin(self) -> None:
        self._name = _new(self._server, self._template)
        self.url = _named(self._server, self._name)
        self._connection = create_engine(self.url, isolation_level="AUTOCOMMIT").connect()
        # The history of consent refuses every deletion, and tables refer to one another: not for us.
        self._connection.execute(text("SET session_replication_role = replica"))
        self._shape = _shape(self._connection)

    def empty(self) -> None:
        """Take away what a test has left, and whoever of its processes is still connected."""
        _disconnect_others(self._connection)
        if _shape(self._connection) != self._shape or _delete_rows(self._connection) > MOST_ROWS:
            self._end()
            self._begin()

    def drop(self) -> None:
        """Leave the server as it was."""
        self._end()
        _drop(self._server, self._template)

    def _end(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()
        _drop(self._server, self._name)


def _disconnect_others(connection: Connection) -> None:
    deadline = time.monotonic() + 5
    # Asked again and again: the server itself looks only every 100 ms whether they are gone.
    while connection.execute(text(_DISCONNECT)).all() and time.monotonic() < deadline:
        time.sleep(0.002)


_DISCONNECT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    "AND datname = current_database() AND backend_type = 'client backend'"
)


def _shape(connection: Connection) -> object:
    """Return what changes with every table, index or column that comes, goes or gets another name."""
    names = "string_agg(oid || relname || relnatts || relchecks, ',' ORDER BY oid)"
    of_ours = "relnamespace = 'public'::regnamespace"
    columns = "SELECT md5(string_agg(attname, ',' ORDER BY attrelid, attnum)) FROM pg_attribute"
    return (
        connection.scalar(text(f"SELECT {names} FROM pg_class WHERE {of_ours}")),
        connection.scalar(text(f"{columns} JOIN pg_class ON pg_class.oid = attrelid WHERE {of_ours}")),
        connection.scalar(text("SELECT version_num FROM alembic_version")),
    )


def _delete_rows(connection: Connection) -> int:
    tables = connection.scalars(
        text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    ).all()
    counted = " UNION ALL ".join(f"SELECT '{name}', EXISTS (SELECT FROM {name})" for name in tables)
    held = [name for name, some in connection.execute(text(counted)) if some and name != "alembic_version"]
    rows = sum(connection.execute(text(f"DELETE FROM {name}")).rowcount for name in held)
    connection.execute(
        text(
            "SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences "
            "WHERE last_value IS NOT NULL"
        )
    )
    return rows


def _new(server: str, template: str = "template1") -> str:
    name = f"blog_{uuid4().hex[:12]}"
    with _connected(server) as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return name


def _drop(server: str, name: str) -> None:
    with _connected(server) as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
