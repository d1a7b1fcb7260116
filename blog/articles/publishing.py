"""From the content folder to the published index, and then to the related articles.

Files are read and likeness is computed outside of any transaction: at a few thousand articles both take
seconds, and readers who subscribe meanwhile must not wait for them.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from blog.articles import reading, related
from blog.articles.sync import Changes, sync, take_turn
from blog.content.library import Progress, load
from blog.content.values import Library
from blog.db import Database
from blog.errors import UsageError

Clock = Callable[[], datetime]


def publish(
    database: Database,
    content_dir: Path,
    clock: Clock,
    *,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> tuple[Changes, Library]:
    """Read the content folder and bring the index up to date; `force` lets many articles go at once."""
    if not content_dir.is_dir():
        raise UsageError(f"BLOG_CONTENT_DIR: there is no folder {content_dir}")
    library = load(content_dir, clock(), cache_dir, progress)
    with database.transaction() as session:
        # The time is asked for when nobody else can be planning an issue: see `digests.plan`.
        take_turn(session)
        changes = sync(session, library, clock(), force=force)
    relate(database, clock)
    return changes, library


def relate(database: Database, clock: Clock) -> None:
    """Work out the related articles, unless those that are stored belong to the present content."""
    while True:
        with database.reading() as session:
            version = reading.version(session)
            if related.is_current(session):
                return
            documents, names = related.read(session, clock())
        found = related.neighbours(documents, names)
        with database.transaction() as session:
            take_turn(session)
            if reading.version(session) == version:
                related.store(session, found)
                return
