"""The backup that an upgrade makes first: proven, named by time and revision, the last few kept."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from blog import revisions
from blog.backup import keeping
from blog.db import Database
from blog.errors import BlogError
from blog.settings import Settings

KEPT = 3
#: Who has none of these has nothing that the files of the site do not hold.
LIVED_IN = ("subscribers", "mailings", "suppressions")


def take(settings: Settings, database: Database, now: datetime) -> Path | None:
    """Write and prove a backup of a database that is about to be changed; None if there is nobody in it."""
    at = revisions.current(database)
    if at is None or not _is_lived_in(database):
        return None
    folder = settings.var_dir / "snapshots"
    file = folder / f"{now:%Y%m%dT%H%M%S}-at-{at}.tar.gz"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keeping.make(settings, database, file, now)
        keeping.verify(file, database)
    except (BlogError, OSError) as error:
        with suppress(OSError):
            file.unlink()
        raise BlogError(f"no snapshot: {error}; or go without one: blog db upgrade --no-snapshot") from error
    for old in sorted(folder.glob("*-at-*.tar.gz"))[:-KEPT]:
        old.unlink()
    return file


def _is_lived_in(database: Database) -> bool:
    with database.reading() as session:
        return any(
            session.scalar(text(f"SELECT EXISTS (SELECT 1 FROM {table})"))  # noqa: S608 - names of our own
            for table in LIVED_IN
        )
