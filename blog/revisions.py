"""Which schema a database has, and which one this code wants; cheap enough to ask at every start."""

from pathlib import Path

from sqlalchemy import inspect, text

from blog.db import Database
from blog.settings import SHIPPED

MIGRATIONS = SHIPPED / "migrations"


def head(folder: Path = MIGRATIONS) -> str:
    """Return the newest revision this code knows: migrations are numbered."""
    return max(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*_*.py"))


def is_behind(at: str | None) -> bool:
    """Whether a database at revision `at` lacks what this code needs.

    One that is ahead does not: a migration leaves the code of before able to work (docs/decisions), so during
    an upgrade old and new processes serve side by side.
    """
    return at is None or at < head()


def current(database: Database) -> str | None:
    """Return the revision the database is at; None for an empty one."""
    with database.reading() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
        return found
