"""A published text while it is checked: its HTML as readers get it, and its file as the writer knows it."""

import re
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path

from blog.content import front_matter
from blog.content.checks.spots import Spot, spots
from blog.content.front_matter import Header
from blog.content.problems import Malformed
from blog.content.values import ArticleFile, Library, Problem

# The renderer escapes every `<` in text and every quote in a value, so a tag can be told by its form.
_TAG = re.compile(r"<([a-z][a-z0-9]*)((?: [\w:-]+=\"[^\"]*\")+) ?/?>")
_ATTRIBUTE = re.compile(r" ([\w:-]+)=\"([^\"]*)\"")
_LONGEST_SHOWN = 120


@dataclass(frozen=True)
class Piece:
    """An article or a page; `article` is None for a page."""

    content_dir: Path
    source: str
    address: str
    html: str
    article: ArticleFile | None = None

    @cached_property
    def tags(self) -> list[tuple[str, dict[str, str]]]:
        """The elements that have attributes, in order."""
        return [
            (tag, {name: unescape(value) for name, value in _ATTRIBUTE.findall(attributes)})
            for tag, attributes in _TAG.findall(self.html)
        ]

    @cached_property
    def ids(self) -> set[str]:
        """What `#…` can lead to in this text."""
        return {attributes["id"] for _, attributes in self.tags if "id" in attributes}

    @cached_property
    def header(self) -> Header:
        """The file taken apart; nothing when it has changed since it was loaded."""
        try:
            return front_matter.read((self.content_dir / self.source).read_bytes(), self.source)
        except (OSError, Malformed):
            return Header("")

    @cached_property
    def spots(self) -> list[Spot]:
        """Where links and images are written."""
        return spots(self.header.body, self.header.body_line)

    def line_of(self, address: str) -> int | None:
        """Return the first line of the body that holds these characters."""
        place = self.header.body.find(address) if address else -1
        return None if place < 0 else self.header.body_line + self.header.body.count("\n", 0, place)

    def problem(self, line: int | None, message: str, hint: str) -> Problem:
        """Return a problem of this file."""
        return Problem(self.source, line, message, hint)


def of(library: Library, content_dir: Path) -> list[Piece]:
    """Return every text of a library."""
    articles = [
        Piece(content_dir, item.source, f"/articles/{item.slug}", item.body.read().html, item)
        for item in library.articles
    ]
    return articles + [Piece(content_dir, item.source, f"/{item.slug}", item.html) for item in library.pages]


def shown(address: str) -> str:
    """Return an address as a message quotes it."""
    return address if len(address) <= _LONGEST_SHOWN else f"{address[: _LONGEST_SHOWN - 1]}…"
