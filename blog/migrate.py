"""Bringing a database to the newest schema, while others serve from it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from blog import revisions
from blog.db import BUSY_SECONDS, LOCK_TIMEOUT, Database
from blog.errors import BlogError, Busy
from blog.revisions import MIGRATIONS

#: A number of ours among PostgreSQL's advisory locks: one migration at a time, from whatever host.
ONE_AT_A_TIME = 0x626C6F67
#: lock_not_available, deadlock_detected: somebody works with a table that is to be changed.
IN_THE_WAY = ("55P03", "40P01")


def configuration(folder: Path = MIGRATIONS) -> Config:
    """Return Alembic's configuration for the migrations in `folder`."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def upgrade(
    database: Database, revision: str = "head", folder: Path = MIGRATIONS
) -> tuple[str | None, str | None]:
    """Upgrade to `revision`; return the revision before and after."""
    at, newest = revisions.current(database), revisions.head(folder)
    if at is not None and at > newest:
        raise BlogError(
            f"the database is at {at}, newer than this version of blog, which knows {newest}; install the "
            "version that upgraded it, or bring back the snapshot of before: blog restore --replace FILE"
        )
    return _move(database, command.upgrade, revision, folder)


def downgrade(database: Database, revision: str) -> tuple[str | None, str | None]:
    """Downgrade to `revision` (`base` empties the database); return the revision before and after."""
    return _move(database, command.downgrade, revision, MIGRATIONS)


def _move(
    database: Database, action: Callable[[Config, str], None], revision: str, folder: Path
) -> tuple[str | None, str | None]:
    config = configuration(folder)
    with _plainly(), _sqlite(database) if database.is_sqlite else _postgresql(database) as connection:
        before = _revision(connection)
        config.attributes["connection"] = connection
        action(config, revision)
        return before, _revision(connection)


def _revision(connection: Connection) -> str | None:
    """Ask in a transaction of its own where there is none yet, so that a migration can have its own."""
    outer = connection.in_transaction()
    found = MigrationContext.configure(connection).get_current_revision()
    if not outer:
        connection.rollback()
    return found


@contextmanager
def _sqlite(database: Database) -> Iterator[Connection]:
    with database.transaction() as session:
        yield session.connection()


@contextmanager
def _postgresql(database: Database) -> Iterator[Connection]:
    """A connection of its own, that takes its settings and its lock away with it.

    In no transaction: Alembic opens one for all migrations, and one that builds an index CONCURRENTLY can
    step out of it. A migration must not queue behind a long reader with everyone else behind it.
    """
    engine = create_engine(database.url, poolclass=NullPool, connect_args={"connect_timeout": BUSY_SECONDS})
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({ONE_AT_A_TIME})"))
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        yield connection


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in IN_THE_WAY:
            raise Busy(
                f"somebody holds a table that has to be changed and did not let go within {LOCK_TIMEOUT} (a "
                "backup, a long query); everything is as before: run blog db upgrade again, when that is over"
            ) from error
        cause = " ".join(str(error.orig).split())[:200]
        raise BlogError(f"the schema could not be changed: {cause}; everything is as before") from error
