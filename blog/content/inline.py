"""Python-Markdown's inline patterns, each tried only on texts that hold its sign.

The library tries all of them on every piece of text, some 3,000 times in an article of 7 KB, nearly always in
vain. A pattern whose sign (a bracket, a star) is not there cannot match, and looking for a sign costs little.
"""

from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.inlinepatterns import BacktickInlineProcessor
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


def register(md: Markdown) -> None:
    """Put this way of trying patterns in the place of the library's own."""
    md.inlinePatterns.register(BacktickInlineProcessor(BACKTICK), "backtick", 190)
    md.treeprocessors.register(Inline(md), "inline", 20)


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
