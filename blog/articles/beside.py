"""The process that works beside a first sync; see `ahead`, which starts it.

It imports neither the database nor the renderer, which are most of the memory of the one that does.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path

from blog.articles import remembered, search_rows
from blog.articles.choosing import Chooser, Document
from blog.articles.search_rows import Said
from blog.articles.space import weigh
from blog.articles.terms import Counted, counted
from blog.content.garbage import give_back, look_seldom
from blog.content.keeping import write_whole
from blog.content.said import said, store_in
from blog.content.store import Store

WORK, CARDS, ROWS = "work", "cards", "rows-{}"
#: Rows in one file.
LOT = 100
#: One in so many rows is made here: with them, this process is done when the one that writes is.
ROWS_HERE = 3


@dataclass(frozen=True)
class Work:
    """What the process is given: where each text is kept, what is said beside it, and its document."""

    cache_dir: Path
    texts: list[tuple[str, Said]]
    documents: list[Document]
    topic_names: dict[str, str]
    with_pairs: bool


class Lost(Exception):
    """One of the texts is not there any more."""


def do(folder: Path) -> None:
    """Do the work that lies in a folder, and leave there what comes of it."""
    look_seldom()
    work: Work = pickle.loads((folder / WORK).read_bytes())  # noqa: S301  # written by who started us
    try:
        words = _counted(work, folder)
    except Lost:
        return
    weighed = weigh(words)
    words.clear()
    give_back()
    space = weighed.compared()
    remembered.remember(folder, None, space)
    chooser = Chooser(work.documents, space, work.topic_names)
    chosen = [chooser.cards(number) for number in range(len(work.documents))]
    write_whole(folder / CARDS, pickle.dumps(chosen))


def _counted(work: Work, folder: Path) -> list[Counted]:
    """Return the words of all texts; raises `Lost`.

    On the way it makes the rows of search of the last texts, from the last on: who started us makes them from
    the first on, and leaves an empty file where nothing is to be done any more.
    """
    store, found = store_in(work.cache_dir), []
    first_row = len(work.texts) - len(work.texts) // ROWS_HERE
    for start in reversed(range(0, len(work.texts), LOT)):
        lot, rows = _said(store, work, start), folder / ROWS.format(start // LOT)
        found += [counted(item.title, item.headings, item.text) for _, item in reversed(lot)]
        if start >= first_row and not rows.exists():
            made = {name: search_rows.row(item, with_pairs=work.with_pairs) for name, item in lot}
            write_whole(rows, pickle.dumps(made))
    return found[::-1]


def _said(store: Store, work: Work, start: int) -> list[tuple[str, Said]]:
    """Return what a lot of the texts says, by rendering; raises `Lost`."""
    found = []
    for number, (name, known) in enumerate(work.texts[start : start + LOT], start):
        kept = said(store, name)
        if kept is None:
            raise Lost
        headings, text = kept
        found.append((work.documents[number].rendering, known._replace(headings=headings, text=text)))
    return found
