"""Links, images and references whose closing bracket is found in one pass over a text.

Python-Markdown looks for each `[`'s partner from that bracket on, to the end of the text if there is none:
5,000 of them took four seconds, and unclosed links longer. Here all pairs of a text are found at once, and
are kept while the library replaces what stands before them.
"""

import re
from html import unescape
from typing import cast
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.inlinepatterns import (
    IMAGE_LINK_RE,
    IMAGE_REFERENCE_RE,
    LINK_RE,
    REFERENCE_RE,
    ImageInlineProcessor,
    ImageReferenceInlineProcessor,
    InlineProcessor,
    LinkInlineProcessor,
    ReferenceInlineProcessor,
    ShortImageReferenceInlineProcessor,
    ShortReferenceInlineProcessor,
)
from markdown.treeprocessors import InlineProcessor as InlineTreeprocessor
from markdown.util import INLINE_PLACEHOLDER_RE

#: The longest name of a reference, as CommonMark has it.
LONGEST_LABEL = 999
#: How many parentheses and quotes the address and title of one link may hold.
MOST_IN_LINK = 100

_BRACKET = re.compile(r"[\[\]]")
_IN_LINK = re.compile(r"[()'\"]")


def register(md: Markdown) -> None:
    """Put these patterns in the place of the library's own."""
    patterns, pairs = md.inlinePatterns, Pairs()
    patterns.register(_Reference(REFERENCE_RE, md, pairs), "reference", 170)
    patterns.register(_Link(LINK_RE, md, pairs), "link", 160)
    patterns.register(_Image(IMAGE_LINK_RE, md, pairs), "image_link", 150)
    patterns.register(_ImageReference(IMAGE_REFERENCE_RE, md, pairs), "image_reference", 140)
    patterns.register(_ShortReference(REFERENCE_RE, md, pairs), "short_reference", 130)
    patterns.register(_ShortImageReference(IMAGE_REFERENCE_RE, md, pairs), "short_image_ref", 125)


class Pairs:
    """Where each opening bracket of a text is closed.

    Places are counted from the end: what the library puts in place of a link changes only what is before
    the place it goes on from.
    """

    def __init__(self) -> None:
        self.passes = 0
        self._text, self._closed = "", dict[int, int]()

    def closing(self, text: str, start: int) -> int | None:
        """Return where the bracket opened just before `start` is closed, or None."""
        if text is not self._text:
            if not self._text.endswith(text[start - 1 :]):
                self._closed = self._found(text)
            self._text = text
        place = self._closed.get(len(text) - start)
        return None if place is None else len(text) - place

    def _found(self, text: str) -> dict[int, int]:
        self.passes += 1
        opened: list[int] = []
        closed: dict[int, int] = {}
        for bracket in _BRACKET.finditer(text):
            if bracket.group() == "[":
                opened.append(len(text) - bracket.end())
            elif opened:
                closed[opened.pop()] = len(text) - bracket.start()
        return closed


class _Bracketed(LinkInlineProcessor):
    longest: int | None = None

    def __init__(self, pattern: str, md: Markdown, pairs: Pairs) -> None:
        super().__init__(pattern, md)
        self._pairs = pairs

    def getText(self, data: str, index: int) -> tuple[str, int, bool]:
        end = self._pairs.closing(data, index)
        if end is None or (self.longest and end - index > self.longest):
            return "", index, False
        return data[index:end], end + 1, True

    def getLink(self, data: str, index: int) -> tuple[str, str | None, int, bool]:
        if not data.startswith("(", index):
            return "", None, index, False
        marks = _IN_LINK.finditer(data, index)
        end = next((mark.end() for number, mark in enumerate(marks) if number == MOST_IN_LINK), len(data))
        href, title, after, handled = super().getLink(data[index:end], 0)
        return href, title, index + after, handled


class _Link(_Bracketed):
    pass


class _Image(_Bracketed, ImageInlineProcessor):
    pass


class _Referring(_Bracketed):
    """A reference; its name in brackets must touch the text: `[one] [two]` are two references."""

    longest = LONGEST_LABEL
    RE_LINK = re.compile(rf"\[([^\]]{{0,{LONGEST_LABEL}}})\]")


class _ImageReference(_Referring, ImageReferenceInlineProcessor):
    pass


class _ShortImageReference(_Referring, ShortImageReferenceInlineProcessor):
    pass


class _Reference(_Referring, ReferenceInlineProcessor):
    """A reference whose name holds code, such as [`Arc`], is looked up as it was written."""

    def evalId(self, data: str, index: int, text: str) -> tuple[str | None, int, bool]:
        name, end, handled = super().evalId(data, index, text)
        return _as_written(self, name or ""), end, handled


class _ShortReference(_Referring, ShortReferenceInlineProcessor):
    def evalId(self, data: str, index: int, text: str) -> tuple[str, int, bool]:
        name, end, handled = super().evalId(data, index, text)
        return _as_written(self, name or ""), end, handled


def _as_written(processor: InlineProcessor, text: str) -> str:
    """Put code spans back in place of what stands for them while a paragraph is being parsed."""

    def original(found: re.Match[str]) -> str:
        inline = cast(InlineTreeprocessor, processor.md.treeprocessors["inline"])
        node = inline.stashed_nodes.get(found.group(1))
        if isinstance(node, Element) and node.tag == "code":
            return f"`{unescape(node.text or '')}`".lower()
        return found.group(0)

    return INLINE_PLACEHOLDER_RE.sub(original, text)
