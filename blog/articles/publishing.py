"""From the content folder to the published index, and then to the related articles.

Files are read and likeness is computed outside of any transaction: at a few thousand articles both take
seconds, and readers who subscribe meanwhile must not wait for them.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from blog.articles import reading, related, stillness
from blog.articles.remembered import recall, remember
from blog.articles.sync import Changes, sync, take_turn
from blog.articles.terms import Counted
from blog.content.library import load
from blog.content.values import Problem
from blog.content.workshop import Progress
from blog.db import Database
from blog.errors import UsageError


class Published(NamedTuple):
    """What a sync changed, and what there is to mend in the files."""

    changes: Changes
    problems: list[Problem]


Clock = Callable[[], datetime]
#: Texts read from the database at once: enough of them not to ask often, few enough for the memory.
AT_ONCE = 500


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
    library = load(content_dir, clock(), cache_dir, progress)
    with database.transaction() as session:
        # The time is asked for when nobody else can be planning an issue: see `digests.plan`.
        take_turn(session)
        changes = sync(session, library, clock(), force=force)
    relate(database, clock, cache_dir)
    version = _current_version(database)
    if before and version and before == stillness.state(content_dir):
        stillness.keep(cache_dir, before, stillness.Still(version, changes.present, library.problems))
    return Published(changes, library.problems)


def _current_version(database: Database) -> str:
    """Return the version of what is published, or nothing when its articles are not related yet."""
    with database.reading() as session:
        return reading.version(session) if related.is_current(session) else ""


def relate(database: Database, clock: Clock, cache_dir: Path | None = None) -> None:
    """Work out the related articles, unless those that are stored belong to the present content.

    With a `cache_dir`, only what changed since the last time is compared with everything, where that pays.
    """
    while True:
        with database.reading() as session:
            version = reading.version(session)
            if related.is_current(session):
                return
            material = related.read(session, clock())
        documents, known = material.documents, recall(cache_dir)
        words = _words(database, related.to_count(documents, known))
        if words is None:
            continue
        space, numbers = related.compared(documents, words, known)
        found = related.neighbours(material, space, numbers)
        with database.transaction() as session:
            take_turn(session)
            if reading.version(session) != version:
                continue
            related.store(session, found, documents)
        remember(cache_dir, [(item.id, item.fingerprint) for item in documents], space)
        return


def _words(database: Database, ids: list[int]) -> dict[int, Counted] | None:
    """Count the words of articles, some hundreds at a time; None when one is gone by now."""
    words: dict[int, Counted] = {}
    for start in range(0, len(ids), AT_ONCE):
        with database.reading() as session:
            words |= related.counts(session, ids[start : start + AT_ONCE])
    return words if len(words) == len(ids) else None
