"""From the published index to the related articles: computed outside of any transaction, stored in one."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from blog.articles import reading, related
from blog.articles.ahead import Ahead
from blog.articles.related import Cards, Material
from blog.articles.remembered import recall, remember
from blog.articles.sync import take_turn
from blog.articles.terms import Counted
from blog.db import Database

#: Texts read from the database at once: enough of them not to ask often, few enough for the memory.
AT_ONCE = 500


class _Made(NamedTuple):
    """Cards, and what keeps the comparison behind them for the next time, as that of these articles."""

    cards: Cards
    keep: Callable[[list[tuple[int, str]]], None]


def relate(
    database: Database,
    clock: Callable[[], datetime],
    cache_dir: Path | None = None,
    ahead: Ahead | None = None,
) -> None:
    """Work out the related articles, unless those that are stored belong to the present content.

    With a `cache_dir`, only what changed since the last time is compared with everything, where that pays.
    What was chosen `ahead` is not chosen again.
    """
    while True:
        with database.reading() as session:
            version = reading.version(session)
            if reading.are_related(session):
                return
            material = related.read(session, clock())
        made = _made(database, material, cache_dir, ahead)
        if made is None:
            continue
        with database.transaction() as session:
            take_turn(session)
            if reading.version(session) != version:
                continue
            related.store(session, made.cards, material.documents)
        made.keep([(item.id, item.fingerprint) for item in material.documents])
        return


def _made(
    database: Database, material: Material, cache_dir: Path | None, ahead: Ahead | None
) -> _Made | None:
    """Return the cards of articles; None when one of these is gone by now."""
    chosen = ahead.cards(material) if ahead else None
    if ahead and chosen is not None:
        return _Made(chosen, ahead.keep)
    known = recall(cache_dir)
    words = _words(database, related.to_count(material.documents, known))
    if words is None:
        return None
    space, numbers = related.compared(material.documents, words, known)
    cards = related.neighbours(material, space, numbers)
    return _Made(cards, lambda articles: remember(cache_dir, articles, space))


def _words(database: Database, ids: list[int]) -> dict[int, Counted] | None:
    """Count the words of articles, some hundreds at a time; None when one is gone by now."""
    words: dict[int, Counted] = {}
    for start in range(0, len(ids), AT_ONCE):
        with database.reading() as session:
            words |= related.counts(session, ids[start : start + AT_ONCE])
    return words if len(words) == len(ids) else None
