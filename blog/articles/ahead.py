"""Choosing the related articles of a first sync in a process of its own, while this one writes them all.

It reads the texts where the renderer keeps them, and leaves what it has chosen in a file. Where that goes
wrong, or the database turns out to hold others, they are chosen later by whoever relates them.
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
from blog.articles.beside import CARDS, WORK, Work
from blog.articles.choosing import Document, Neighbour
from blog.articles.related import Cards, Material
from blog.content.values import ArticleFile, Library

#: For fewer, a process takes longer to begin than it saves.
FEW = 1_000


class Ahead:
    """A choice under way, if there is reason for one; to be used by `with`, which ends it."""

    def __init__(self, clock: Callable[[], datetime], cache_dir: Path | None) -> None:
        self._clock, self._cache_dir = clock, cache_dir
        self._work: Work | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

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
        work = _work(library, self._cache_dir, self._clock())
        if len(work.texts) >= FEW and (os.cpu_count() or 1) > 1:
            with suppress(OSError):  # nowhere to write, or no process to be had: it is done later
                self._start(work)

    def _start(self, work: Work) -> None:
        self._folder = TemporaryDirectory(prefix="blog-ahead-")
        (Path(self._folder.name) / WORK).write_bytes(pickle.dumps(work))
        self._work = replace(work, texts=[])
        do = "import sys, pathlib; from blog.articles.beside import do; do(pathlib.Path(sys.argv[1]))"
        # Without the present folder: what lies there is not to be imported.
        command = [sys.executable, "-P", "-c", do, self._folder.name]
        silent = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent)

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


def _work(library: Library, cache_dir: Path, now: datetime) -> Work:
    files = [item for item in library.articles if _is_related(item, now)]
    numbers = {item.slug: number for number, item in enumerate(files)}
    names: dict[str, str] = {}
    for item in library.articles:
        names |= item.topic_names
    texts = [(item.body.kept_as, item.title) for item in files]
    return Work(cache_dir, texts, [_document(item, numbers, now) for item in files], names)


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
