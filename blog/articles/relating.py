"""From the published index to the related articles: computed outside of any transaction, stored in one."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from blog.articles import reading, related
from blog.articles.remembered import recall, remember
from blog.articles.sync import take_turn
from blog.articles.terms import Counted
from blog.db import Database

#: Texts read from the database at once: enough of them not to ask often, few enough for the memory.
AT_ONCE = 500


def relate(database: Database, clock: Callable[[], datetime], cache_dir: Path | None = None) -> None:
    """Work out the related articles, unless those that are stored belong to the present content.

    With a `cache_dir`, only what changed since the last time is compared with everything, where that pays.
    """
    while True:
        with database.reading() as session:
            version = reading.version(session)
            if reading.are_related(session):
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
