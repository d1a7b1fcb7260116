"""The process that works beside a first sync; see `ahead`, which starts it.

It imports neither the database nor the renderer, which are most of the memory of the one that does.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path

from blog.articles import remembered
from blog.articles.choosing import Chooser, Document
from blog.articles.space import weigh
from blog.articles.terms import Counted, counted
from blog.content.garbage import give_back, look_seldom
from blog.content.keeping import write_whole
from blog.content.said import said, store_in

WORK, CARDS = "work", "cards"


@dataclass(frozen=True)
class Work:
    """What the process is given: where each text is kept, its title, and its document, numbered like it."""

    cache_dir: Path
    texts: list[tuple[str, str]]
    documents: list[Document]
    topic_names: dict[str, str]


def do(folder: Path) -> None:
    """Do the work that lies in a folder, and leave there what comes of it."""
    look_seldom()
    work: Work = pickle.loads((folder / WORK).read_bytes())  # noqa: S301  # written by who started us
    words = _counted(work)
    if words is None:
        return
    weighed = weigh(words)
    words.clear()
    give_back()
    space = weighed.compared()
    remembered.remember(folder, None, space)
    chooser = Chooser(work.documents, space, work.topic_names)
    chosen = [chooser.cards(number) for number in range(len(work.documents))]
    write_whole(folder / CARDS, pickle.dumps(chosen))


def _counted(work: Work) -> list[Counted] | None:
    """Return the words of all texts; None when one of these is lost."""
    store, words = store_in(work.cache_dir), []
    for name, title in work.texts:
        found = said(store, name)
        if found is None:
            return None
        words.append(counted(title, *found))
    return words
