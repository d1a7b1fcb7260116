"""A publisher's own words in a mail: Markdown as HTML that mail programs bear, and as text in columns."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import markdown
import nh3
from markupsafe import Markup

from blog.columns import underlined, wrapped

#: The column of a mail; a picture without a width would be shown at its own, wider than most screens.
PICTURE_WIDTH = 520
_TAGS = {
    "p", "br", "a", "em", "strong", "ul", "ol", "li", "h2", "h3", "blockquote", "code", "pre", "hr", "img",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}, "ol": {"start"}}
_HEADING = re.compile(r"(</?)h([1-6])\b")
_BLOCKS = {"p", "li", "h2", "h3", "blockquote", "pre", "ul", "ol", "hr"}


def html(body: str, base: str) -> Markup:
    """Return Markdown as clean HTML whose addresses are whole and whose headings follow the mail's own."""
    made = _in_order(markdown.markdown(body, extensions=["fenced_code", "sane_lists"]))
    clean = nh3.clean(
        made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"https", "http", "mailto"}, link_rel=None
    )
    clean = re.sub(r"<img\b[^>]*>", _picture, clean)
    whole = re.sub(r'\b(href|src)="([^"]*)"', lambda found: f'{found[1]}="{urljoin(base, found[2])}"', clean)
    return Markup(whole)  # noqa: S704 - cleaned above


def text(markup: str) -> str:
    """Return such HTML as text: nothing of it is left out, no line is wider than it has to be."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    reader.end_block()
    return "\n".join(reader.lines).strip("\n")


def _in_order(made: str) -> str:
    """Return markup whose headings are of two levels, the second never before the first."""
    first = _HEADING.search(made)
    highest = min((int(found[2]) for found in _HEADING.finditer(made)), default=2)
    top = max(highest, int(first[2])) if first else highest
    return _HEADING.sub(lambda found: f"{found[1]}h{2 if int(found[2]) <= top else 3}", made)


def _picture(found: re.Match[str]) -> str:
    """Return a picture with what mail programs ask of it; one of no size is a tracker, and left out."""
    given = dict(re.findall(r'\b(src|alt|width|height)="([^"]*)"', found[0]))
    if not given.get("src") or {given.get("width"), given.get("height")} & {"0", "1"}:
        return ""
    width = given.get("width", "")
    size = f'width="{width}"' if width.isdecimal() and width.isascii() else f'width="{PICTURE_WIDTH}"'
    return f'<img src="{given["src"]}" alt="{given.get("alt", "")}" {size}>'


@dataclass
class _List:
    """A list being read: the number of its next entry, or None where entries have no numbers."""

    number: int | None
    marker: str = "- "

    def next(self) -> str:
        if self.number is not None:
            self.marker = f"{self.number}. "
            self.number += 1
        return self.marker


@dataclass
class _Block:
    """Where the words that are being read will stand."""

    words: str = ""
    marker: str = ""
    lists: list[_List] = field(default_factory=list)
    quotes: int = 0


class _Reader(HTMLParser):
    """Walks through clean HTML and writes lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._block = _Block()
        self._link = ""
        self._said = ""
        self._literal = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in _BLOCKS:
            self.end_block()
        if tag in ("ul", "ol"):
            number = int(given.get("start") or 1) if tag == "ol" else None
            self._block.lists.append(_List(number))
        elif tag == "li" and self._block.lists:
            self._block.marker = self._block.lists[-1].next()
        elif tag == "blockquote":
            self._block.quotes += 1
        elif tag == "pre":
            self._literal = True
        elif tag == "br":
            self._block.words += "\n"
        elif tag == "img" and given.get("alt"):
            self._block.words += f"[{given['alt']}]"
        elif tag == "hr":
            self.lines += ["* * *", ""]
        self._inline(tag, given)

    def _inline(self, tag: str, given: dict[str, str]) -> None:
        if tag == "a":
            self._link, self._said = given.get("href", ""), self._block.words
        self._block.words += _MARKS.get(tag, "") if not self._literal else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            said = self._block.words[len(self._said) :].strip()
            self._block.words += f" <{self._link}>" if self._link not in (said, f"mailto:{said}") else ""
            self._link = ""
        self._block.words += _MARKS.get(tag, "") if not self._literal else ""
        if tag in ("h2", "h3"):
            self._end_heading("=" if tag == "h2" else "-")
        elif tag in _BLOCKS:
            self.end_block()
        if tag in ("ul", "ol") and self._block.lists:
            self._block.lists.pop()
            self._part()
        elif tag == "blockquote":
            self._block.quotes -= 1
        elif tag == "pre":
            self._literal = False

    def handle_data(self, data: str) -> None:
        # A line of the source may end anywhere in a paragraph.
        self._block.words += data if self._literal else re.sub(r"\s+", " ", data)

    def end_block(self) -> None:
        """Write the words read so far."""
        words, self._block.words = self._block.words.strip("\n"), ""
        if not words.strip():
            return
        marked, (first, rest) = bool(self._block.marker), self._indents()
        if self._literal and marked:
            self.lines.append(first.rstrip())
            first = rest
        # A blank at the start of a quotation's or a code's line belongs to it.
        for number, line in enumerate(words.split("\n")):
            before = first if number == 0 else rest
            self.lines += [f"{before}{line}".rstrip()] if self._literal else [wrapped(line, before, rest)]
        if not self._block.lists:
            self._part()

    def _end_heading(self, mark: str) -> None:
        words, self._block.words = self._block.words.strip(), ""
        self.lines += [*underlined(words, mark).split("\n"), ""]

    def _indents(self) -> tuple[str, str]:
        quoted = "> " * self._block.quotes
        outer = "".join(" " * len(one.marker) for one in self._block.lists[:-1])
        inner = self._block.lists[-1].marker if self._block.lists else ""
        hanging = quoted + outer + " " * len(inner) + ("    " if self._literal else "")
        first = quoted + outer + self._block.marker if self._block.marker else hanging
        self._block.marker = ""
        return first, hanging

    def _part(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")


_MARKS = {"strong": "*", "em": "_", "code": "`"}
