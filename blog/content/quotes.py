"""Straight quotes and three dots made typographic, as Python-Markdown's smarty does, with less work.

The library treats each quote like an inline element: set aside, numbered, put back, then as raw HTML; and
tries its fifteen rules at every letter. The rules here are its own, in its order, tried where a sign is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from operator import itemgetter
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions.smarty import SubstituteTextPattern, openingQuotesBase
from markdown.treeprocessors import InlineProcessor, Treeprocessor
from markdown.util import ETX, STX, AtomicString

#: What was put in stands between the marks that the library has around what it sets aside: its rules look
#: at them.
_MARKED = re.compile(f"{STX}([^{STX}{ETX}]*[‘’“”…][^{STX}{ETX}]*){ETX}")
#: A template would be filled in by Python, place by place.
_INSIDE = itemgetter(1)
_LEAD = re.compile(rf"{openingQuotesBase}\Z")
_FIRST_SIGNS = re.compile(r"""^(?:\^|\(\?<[^)]*\))?((?:\\?['"])+|\\\.\{3})""")
_LONGEST_LEAD = len("&#8211;")


@dataclass(frozen=True)
class Rule:
    """A sign or two, what must stand there and whether a lead before it, and what is put in place of both."""

    sign: str
    pattern: "re.Pattern[str]"
    led: bool
    parts: tuple[int | str, ...]

    def applied(self, text: str) -> str:
        """Return a text after this rule."""
        start, place = 0, text.find(self.sign)
        while place >= 0:
            found = self.pattern.match(text, place)
            lead = (
                _LEAD.search(text, max(start, place - _LONGEST_LEAD), place) if found and self.led else None
            )
            if found is None or (self.led and lead is None):
                place = text.find(self.sign, place + 1)
                continue
            groups = lead or found
            put = (
                f"{STX}{''.join(groups[part] if isinstance(part, int) else part for part in self.parts)}{ETX}"
            )
            first = groups.start()
            text = text[:first] + put + text[found.end() :]
            start = first + len(put)
            place = text.find(self.sign, start)
        return text


def register(md: Markdown) -> None:
    """Put this way of educating quotes in the place of the library's own."""
    theirs = md.treeprocessors["smarty"]
    assert isinstance(theirs, InlineProcessor)
    md.treeprocessors.register(Quotes(md, tuple(_rules(theirs))), "smarty", 6)


def _rules(theirs: InlineProcessor) -> Iterator[Rule]:
    for item in theirs.inlinePatterns:
        assert isinstance(item, SubstituteTextPattern)
        led = item.pattern.startswith(openingQuotesBase)
        pattern = item.pattern.removeprefix(openingQuotesBase)
        sign = _FIRST_SIGNS.search(pattern)
        assert sign
        parts = tuple(part if isinstance(part, int) else unescape(str(part)) for part in item.replace)
        signs = sign[1].replace(r"\.{3}", "...").replace("\\", "")
        yield Rule(signs, re.compile(pattern, re.DOTALL), led, parts)


class Quotes(Treeprocessor):
    """Makes the quotes of all text typographic, but not those of code."""

    def __init__(self, md: Markdown, rules: tuple[Rule, ...]) -> None:
        super().__init__(md)
        self._rules = rules

    def run(self, root: Element) -> None:
        """Go through a tree."""
        for element in root.iter():
            if element is not root and element.text:
                element.text = self._educated(element.text)
            if element.tail:
                element.tail = self._educated(element.tail)

    def _educated(self, text: str) -> str:
        if isinstance(text, AtomicString) or not ("'" in text or '"' in text or "..." in text):
            return text
        for rule in self._rules:
            if rule.sign in text:
                text = rule.applied(text)
        return _MARKED.sub(_INSIDE, text)
