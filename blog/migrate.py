"""Bringing a database to the newest schema."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from blog.db import Database
from blog.revisions import MIGRATIONS


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


def _move(
    database: Database, action: Callable[[Config, str], None], revision: str
) -> tuple[str | None, str | None]:
    config = configuration()
    with database.transaction() as session:
        connection = session.connection()
        context = MigrationContext.configure(connection)
        before = context.get_current_revision()
        config.attributes["connection"] = connection
        action(config, revision)
        return before, context.get_current_revision()
