"""From the content folder to the published index, and then to the related articles.

Files are read and likeness is computed outside of any transaction: at a few thousand articles both take
seconds, and readers who subscribe meanwhile must not wait for them.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from blog.articles import reading, stillness
from blog.articles.sync import Changes, sync, take_turn
from blog.content.progress import Progress
from blog.content.values import Problem
from blog.db import Database
from blog.errors import UsageError


class Published(NamedTuple):
    """What a sync changed, and what there is to mend in the files."""

    changes: Changes
    problems: list[Problem]


Clock = Callable[[], datetime]


def publish(
    database: Database,
    content_dir: Path,
    clock: Clock,
    *,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> Published:
    """Read the content folder and bring the index up to date; `force` lets many articles go at once.

    With a `cache_dir`, nothing is read while folder and index are as the last sync left them.
    """
    if not content_dir.is_dir():
        raise UsageError(f"BLOG_CONTENT_DIR: there is no folder {content_dir}")
    before = stillness.state(content_dir) if cache_dir else None
    still = stillness.recall(cache_dir, before)
    if still and still.version == _current_version(database):
        return Published(Changes([], [], [], still.articles), still.problems)
    # Only now: renderer and numbers take half a second to get ready, and mostly nothing has changed.
    from blog.articles.ahead import Ahead
    from blog.articles.relating import relate
    from blog.articles.search_texts import is_told_pairs
    from blog.content.garbage import give_back, seldom
    from blog.content.library import load

    with_pairs = is_told_pairs(database.engine.dialect.name)
    with seldom(), Ahead(clock, cache_dir, with_pairs=with_pairs) as ahead:
        library = load(content_dir, clock(), cache_dir, progress, ahead.begin)
        # Here, where another process is at work too: what changes from now on was not read.
        unchanged = before is not None and before == stillness.state(content_dir)
        with database.transaction() as session:
            # The time is asked for when nobody else can be planning an issue: see `digests.plan`.
            take_turn(session)
            changes = sync(session, library, clock(), force=force, searched=ahead.search_row)
        give_back()  # the rows: the process beside is at its fullest now
        relate(database, clock, cache_dir, ahead)
    version = _current_version(database)
    if version and unchanged:
        stillness.keep(cache_dir, before, stillness.Still(version, changes.present, library.problems))
    return Published(changes, library.problems)


def _current_version(database: Database) -> str:
    """Return the version of what is published, or nothing when its articles are not related yet."""
    with database.reading() as session:
        return reading.version(session) if reading.are_related(session) else ""
