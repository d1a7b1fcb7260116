"""What a rendering was made from: a text, and the answers to what it asked about everything around it."""

import time
from dataclasses import dataclass, field
from typing import Any

from blog.content import markup
from blog.content.keeping import SETTLED_NS
from blog.content.markup import Rendered, Text
from blog.content.problems import Malformed
from blog.content.references import File, Shelf
from blog.content.values import Problem

Notes = list[list[Any]]


@dataclass(frozen=True)
class Made:
    """What came of a text: its rendering, or why there is none; and the questions it was made from."""

    outcome: Rendered | Problem
    notes: Notes


@dataclass(frozen=True)
class Witness(Shelf):
    """A shelf that notes what it is asked, and what it answers."""

    notes: Notes = field(default_factory=list)

    def article(self, address: str, source: str) -> tuple[str, str] | None:
        found = super().article(address, source)
        self.notes.append(["article", address, list(found) if found else None])
        return found

    def page(self, address: str, source: str) -> str | None:
        found = super().page(address, source)
        self.notes.append(["page", address, found])
        return found

    def file(self, address: str, source: str) -> File | None:
        found = super().file(address, source)
        self.notes.append(["file", address, _stamp(found)])
        return found


def make(text: Text, shelf: Shelf) -> Made:
    """Render one text."""
    witness = Witness(shelf.content_dir, shelf.by_source, shelf.by_address, shelf.pages)
    try:
        rendered = markup.render(text, witness)
    except Malformed as mistake:
        return Made(mistake.problem, witness.notes)
    return Made(rendered, witness.notes)


def still_holds(notes: Notes, shelf: Shelf, source: str, *, same_shelf: bool = False) -> bool:
    """Return whether the shelf answers everything as it did; the same one answers otherwise of files only."""
    return all(
        _answer(kind, address, shelf, source) == answer
        for kind, address, answer in notes
        if kind == "file" or not same_shelf
    )


def _answer(kind: str, address: str, shelf: Shelf, source: str) -> Any:
    if kind == "article":
        found = shelf.article(address, source)
        return list(found) if found else None
    return shelf.page(address, source) if kind == "page" else _stamp(shelf.file(address, source))


def _stamp(file: File | None) -> list[Any] | None:
    """Return what tells a file from every other, and from its own later states."""
    if file is None or file.path is None:
        return [file.address] if file else None
    try:
        status = file.path.stat()
    except OSError:
        return [file.address]
    now = time.time_ns()
    if abs(now - status.st_ctime_ns) < SETTLED_NS:
        return [file.address, "just changed", now]  # equal to nothing that will be found later
    times = [status.st_mtime_ns, status.st_ctime_ns]
    return [file.address, str(file.path), status.st_dev, status.st_ino, status.st_size, *times]
