"""A first sync's work on its texts, done in a process of its own while this one writes them.

It reads them where the renderer keeps them, and leaves in files what search is to read of each, and which
articles are related. Where that goes wrong, or the database turns out to hold others, who needs it makes it.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from blog.articles import remembered
from blog.articles.beside import CARDS, LOT, ROWS, WORK, Work
from blog.articles.choosing import Document, Neighbour
from blog.articles.related import Cards, Material
from blog.articles.search_rows import Row, Said
from blog.content.values import ArticleFile, Library

#: For fewer, a process takes longer to begin than it saves.
FEW = 1_000


class Ahead:
    """Work under way, if there is reason for it; to be used by `with`, which ends it."""

    def __init__(
        self, clock: Callable[[], datetime], cache_dir: Path | None, *, with_pairs: bool = False
    ) -> None:
        self._clock, self._cache_dir, self._with_pairs = clock, cache_dir, with_pairs
        self._work: Work | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lots: dict[str, Path] = {}
        self._taken: set[Path] = set()
        self._rows: dict[str, Row] = {}

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(self, *_why: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._folder:
            self._folder.cleanup()

    def begin(self, library: Library) -> None:
        """Begin with what was loaded, when it is much and nothing is known of it."""
        if self._cache_dir is None or (self._cache_dir / remembered.FILE).exists():
            return
        work = _work(library, self._cache_dir, self._clock(), with_pairs=self._with_pairs)
        if len(work.texts) >= FEW and (os.cpu_count() or 1) > 1:
            with suppress(OSError):  # nowhere to write, or no process to be had: it is done later
                self._start(work)

    def _start(self, work: Work) -> None:
        self._folder = TemporaryDirectory(prefix="blog-ahead-")
        (Path(self._folder.name) / WORK).write_bytes(pickle.dumps(work))
        self._work = replace(work, texts=[])
        lots = (Path(self._folder.name) / ROWS.format(number // LOT) for number in range(len(work.texts)))
        self._lots = {item.rendering: lot for item, lot in zip(work.documents, lots, strict=True)}
        do = "import sys, pathlib; from blog.articles.beside import do; do(pathlib.Path(sys.argv[1]))"
        # Without the present folder: what lies there is not to be imported.
        command = [sys.executable, "-P", "-c", do, self._folder.name]
        silent = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent)

    def search_row(self, rendering: str) -> Row | None:
        """Return what search reads of an article, if that is made by now; it is given once."""
        lot = self._lots.pop(rendering, None)
        if lot and lot not in self._taken:
            self._taken.add(lot)
            self._rows |= _rows(lot)
        return self._rows.pop(rendering, None)

    def cards(self, material: Material) -> Cards | None:
        """Return the cards of articles, if they were chosen for just these."""
        if not (self._process and self._folder and self._work):
            return None
        given = (self._work.documents, self._work.topic_names)
        if (_numbered(material.documents), material.topic_names) != given:
            return None
        self._process.wait()
        try:
            data = (Path(self._folder.name) / CARDS).read_bytes()
        except OSError:
            return None
        chosen: list[list[Neighbour]] = pickle.loads(data)  # noqa: S301  # written by the process we started
        ids = [item.id for item in material.documents]
        return {
            ids[number]: [Neighbour(ids[card.id], card.kind, card.score, card.reason) for card in cards]
            for number, cards in enumerate(chosen)
        }

    def keep(self, articles: Sequence[tuple[int, str]]) -> None:
        """Keep the comparison for the next sync, as that of these articles."""
        if self._folder:
            remembered.adopt(Path(self._folder.name), self._cache_dir, articles)


def _work(library: Library, cache_dir: Path, now: datetime, *, with_pairs: bool) -> Work:
    files = [item for item in library.articles if _is_related(item, now)]
    numbers = {item.slug: number for number, item in enumerate(files)}
    names: dict[str, str] = {}
    for item in library.articles:
        names |= item.topic_names
    texts = [(item.body.kept_as, _said_beside(item)) for item in files]
    documents = [_document(item, numbers, now) for item in files]
    return Work(cache_dir, texts, documents, names, with_pairs)


def _said_beside(file: ArticleFile) -> Said:
    """Return what an article says beside its text."""
    return Said(file.title, file.description, (), file.authors, file.topics, file.topic_names, "")


def _rows(lot: Path) -> dict[str, Row]:
    """Return the rows of a lot; where there are none yet, tell the process that it need not make them."""
    try:
        rows: dict[str, Row] = pickle.loads(lot.read_bytes())  # noqa: S301  # by the process we started
    except OSError:
        with suppress(OSError):
            lot.touch()
        return {}
    return rows


def _is_related(file: ArticleFile, now: datetime) -> bool:
    return file.status == "published" and not (file.expires_at and file.expires_at <= now)


def _document(file: ArticleFile, numbers: dict[str, int], now: datetime) -> Document:
    return Document(
        id=numbers[file.slug],
        published_at=file.published_at,
        rendering=file.fingerprint,
        language=file.language,
        series=file.series,
        authors=tuple(file.authors),
        topics=tuple(file.topics),
        pinned=tuple(dict.fromkeys(numbers[slug] for slug in file.pinned if slug in numbers)),
        shown=file.published_at <= now,
    )


def _numbered(documents: Sequence[Document]) -> list[Document]:
    """Return documents with their numbers as ids, as they were before the database gave them any."""
    numbers = {item.id: number for number, item in enumerate(documents)}
    return [
        replace(
            item,
            id=number,
            fingerprint="",
            pinned=tuple(numbers[picked] for picked in item.pinned if picked in numbers),
        )
        for number, item in enumerate(documents)
    ]
