"""From the published index to the related articles: computed outside of any transaction, stored in one."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from blog.articles import reading, related
from blog.articles.ahead import Ahead
from blog.articles.choosing import Document
from blog.articles.remembered import recall, remember
from blog.articles.space import Space
from blog.articles.sync import take_turn
from blog.articles.terms import Counted
from blog.db import Database

#: Texts read from the database at once: enough of them not to ask often, few enough for the memory.
AT_ONCE = 500


def relate(
    database: Database,
    clock: Callable[[], datetime],
    cache_dir: Path | None = None,
    ahead: Ahead | None = None,
) -> None:
    """Work out the related articles, unless those that are stored belong to the present content.

    With a `cache_dir`, only what changed since the last time is compared with everything, where that pays.
    What was compared `ahead` is not compared again.
    """
    while True:
        with database.reading() as session:
            version = reading.version(session)
            if reading.are_related(session):
                return
            material = related.read(session, clock())
        documents = material.documents
        compared = _compared(database, documents, cache_dir, ahead)
        if compared is None:
            continue
        space, numbers = compared
        found = related.neighbours(material, space, numbers)
        with database.transaction() as session:
            take_turn(session)
            if reading.version(session) != version:
                continue
            related.store(session, found, documents)
        remember(cache_dir, [(item.id, item.fingerprint) for item in documents], space)
        return


def _compared(
    database: Database, documents: Sequence[Document], cache_dir: Path | None, ahead: Ahead | None
) -> tuple[Space, set[int]] | None:
    space = ahead.space([item.rendering for item in documents]) if ahead else None
    if space:
        return space, set(range(len(documents)))
    known = recall(cache_dir)
    words = _words(database, related.to_count(documents, known))
    return related.compared(documents, words, known) if words is not None else None


def _words(database: Database, ids: list[int]) -> dict[int, Counted] | None:
    """Count the words of articles, some hundreds at a time; None when one is gone by now."""
    words: dict[int, Counted] = {}
    for start in range(0, len(ids), AT_ONCE):
        with database.reading() as session:
            words |= related.counts(session, ids[start : start + AT_ONCE])
    return words if len(words) == len(ids) else None
