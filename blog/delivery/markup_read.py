"""The HTML of a mail as rules ask about it: elements with what surrounds them, and how words look."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr", "base", "embed", "source"}
INHERITED = ("color", "background-color", "font-size", "font-weight", "display", "visibility")
START = {"color": "#000000", "background-color": "#ffffff", "font-size": "16px"}


@dataclass
class Element:
    """An element: its attributes, its own styles, those that hold within it, and the words in it."""

    tag: str
    given: dict[str, str]
    style: dict[str, str]
    looks: dict[str, str]
    within: tuple[str, ...]
    words: str = ""


@dataclass
class Read:
    """What there is in a document, in its order."""

    elements: list[Element] = field(default_factory=list)
    #: Words of the body with the looks they have by inline styles.
    said: list[tuple[str, Element]] = field(default_factory=list)
    title: str = ""
    styles: list[str] = field(default_factory=list)

    def named(self, *tags: str) -> list[Element]:
        """Return the elements of these names."""
        return [element for element in self.elements if element.tag in tags]

    @property
    def words(self) -> str:
        """All that the body says."""
        return " ".join(words for words, _ in self.said)


def read(html: str) -> Read:
    """Read a document once."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.read


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        style = _declarations(given.get("style", ""))
        around = self._open[-1].looks if self._open else START
        looks = around | {name: style[name] for name in INHERITED if name in style}
        element = Element(tag, given, style, looks, tuple(one.tag for one in self._open))
        self.read.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in {element.tag for element in self._open}:
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        inside = {element.tag for element in self._open}
        if "title" in inside:
            self.read.title += data
        elif "style" in inside:
            self.read.styles.append(data)
        elif "body" in inside and data.strip():
            self.read.said.append((data, self._open[-1]))
            for element in self._open:
                element.words += data


def _declarations(style: str) -> dict[str, str]:
    found = re.findall(r"([\w-]+)\s*:\s*([^;]+)", style)
    return {name.lower(): value.replace("!important", "").strip().lower() for name, value in found}
