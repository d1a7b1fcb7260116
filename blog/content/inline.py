"""Python-Markdown's inline patterns, each tried only on texts that hold its sign.

The library tries all of them on every piece of text, some 3,000 times in an article of 7 KB, nearly always in
vain. A pattern whose sign (a bracket, a star) is not there cannot match, and looking for a sign costs little.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.inlinepatterns import BacktickInlineProcessor, DelimiterProcessor
from markdown.treeprocessors import InlineProcessor
from markdown.util import AtomicString

#: Pattern → what a text must hold, one of these, for it to match. A pattern not named here is always tried.
SIGNS: dict[str, tuple[str, ...]] = {
    "backtick": ("`",),
    "formula": ("$",),
    "escape": ("\\",),
    "footnote": ("[^",),
    "reference": ("[",),
    "link": ("[",),
    "image_link": ("![",),
    "image_reference": ("![",),
    "short_reference": ("[",),
    "short_image_ref": ("![",),
    "autolink": ("<",),
    "automail": ("<",),
    "linebreak": ("  \n",),
    "html": ("<",),
    "bare_address": ("http",),
    "entity": ("&",),
    "em_strong": ("*", "_"),
    "strike": ("~~",),
}

#: The library's own, which asks what stands before a sign only behind it: Python searches a text for a first
#: character, but tries a pattern that begins otherwise at every place.
BACKTICK = r"(\\(?<!\\\\)\\(?:\\{2})*)(?=`)|`(?<!\\`)"
#: Emphasis with no other sign of emphasis in it or beside it: between two such there is nothing to decide.
_PLAIN_EMPHASIS = re.compile(r"(?<!\*)(\*{1,2})(?![\s*])([^*_]*[^\s*_])\1(?!\*)")


def register(md: Markdown) -> None:
    """Put this way of trying patterns in the place of the library's own."""
    md.inlinePatterns.register(BacktickInlineProcessor(BACKTICK), "backtick", 190)
    emphasis = _Emphasis("*", "strong,em", md)
    emphasis.add("_", "strong,em", smart=True)
    md.inlinePatterns.register(emphasis, "em_strong", 60)
    md.treeprocessors.register(Inline(md), "inline", 20)


class _Emphasis(DelimiterProcessor):
    """Emphasis as the library finds it, but at once where it is plain."""

    def handleMatch(  # type: ignore[override]  # as the library's own does
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        found = None if self.regions else _PLAIN_EMPHASIS.match(data, m.start())
        if found is None:
            return super().handleMatch(m, data)
        element = Element("strong" if len(found[1]) == 2 else "em")
        element.text = found[2]
        return element, found.start(), found.end()


class Inline(InlineProcessor):
    """Passes over the patterns whose sign a text does not hold."""

    def __init__(self, md: Markdown) -> None:
        super().__init__(md)
        self._ordered: list[tuple[Any, str, str]] = []
        self._signs: list[str] = []
        self._worth: dict[tuple[str, ...], list[tuple[int, Any, str, str]]] = {}

    def run(self, tree: Element, ancestors: list[str] | None = None) -> Element:
        """Apply the patterns to all text of a tree."""
        if not self._ordered:  # not before, since extensions may still register patterns
            known = {self.inlinePatterns[name]: SIGNS[name] for name in SIGNS if name in self.inlinePatterns}
            signs = [known.get(pattern, ("",)) for pattern in self.inlinePatterns]
            pairs = zip(self.inlinePatterns, signs, strict=True)
            self._ordered = [(pattern, one[0], one[-1]) for pattern, one in pairs]
            self._signs = sorted({sign for one in signs for sign in one})
        return super().run(tree, ancestors)

    def _InlineProcessor__handleInline(self, data: str, patternIndex: int = 0) -> str:
        # The library's own loop, under its mangled name: it cannot be reached otherwise.
        if isinstance(data, AtomicString):
            return data
        apply = self._InlineProcessor__applyPattern  # type: ignore[attr-defined]
        for index, pattern, sign, other in self._trying(data):
            matched, start = index >= patternIndex, 0
            while matched and (sign in data or other in data):
                data, matched, start = apply(pattern, data, index, start)
        return data

    def _trying(self, data: str) -> list[tuple[int, Any, str, str]]:
        """Return the patterns that may match a text; what is put in place of a match has no sign."""
        signs = tuple([sign for sign in self._signs if sign in data])
        if signs not in self._worth:
            self._worth[signs] = [
                (index, *one) for index, one in enumerate(self._ordered) if not {*one[1:]}.isdisjoint(signs)
            ]
        return self._worth[signs]
