"""Bringing a database to the newest schema."""

import warnings
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from blog.db import Database
from blog.settings import ROOT

MIGRATIONS = ROOT / "migrations"


def configuration(folder: Path = MIGRATIONS) -> Config:
    """Return Alembic's configuration for the migrations in `folder`."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def upgrade(database: Database, revision: str = "head") -> tuple[str | None, str | None]:
    """Upgrade to `revision`; return the revision before and after."""
    return _move(database, command.upgrade, revision)


def downgrade(database: Database, revision: str) -> tuple[str | None, str | None]:
    """Downgrade to `revision` (`base` empties the database); return the revision before and after."""
    return _move(database, command.downgrade, revision)


def head() -> str | None:
    """Return the newest revision this code knows."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def current(database: Database) -> str | None:
    """Return the revision the database is at; None for an empty one."""
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def _move(
    database: Database, action: "type[object] | object", revision: str
) -> tuple[str | None, str | None]:
    config = configuration()
    with database.transaction() as session, warnings.catch_warnings():
        connection = session.connection()
        context = MigrationContext.configure(connection)
        before = context.get_current_revision()
        config.attributes["connection"] = connection
        action(config, revision)  # type: ignore[operator]
        return before, context.get_current_revision()
