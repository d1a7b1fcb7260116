"""Python-Markdown's passes over the tree of a whole text, less what of them nobody would see.

As in `inline`, a pass is left out for texts without its sign; and headings get the ids that the library's
table of contents gives them without the table, which nobody reads: ours is made of what was sanitised.
"""

import re
from html import unescape
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions.attr_list import AttrListTreeprocessor
from markdown.extensions.md_in_html import HtmlBlockPreprocessor
from markdown.extensions.toc import (
    remove_fnrefs,
    render_inner_html,
    slugify_unicode,
    strip_tags,
    unique,
)
from markdown.preprocessors import NormalizeWhitespace, Preprocessor
from markdown.treeprocessors import Treeprocessor, UnescapeTreeprocessor
from markdown.util import ETX, STX

_HEADINGS = {f"{letter}{level}" for letter in "hH" for level in range(1, 7)}
_BLANK = re.compile(r"\n +(?=\n)")
_MARKUP = re.compile(r"[<>&\x02]")


def register(md: Markdown) -> None:
    """Put these passes in the place of the library's own."""
    text = Text(md)
    md.preprocessors.register(_Whitespace(md), "normalize_whitespace", 30)
    md.preprocessors.register(text, "text", 24)
    if "html_block" in md.preprocessors:
        md.preprocessors.register(_Html(md, text), "html_block", 20)
    md.treeprocessors.register(Attributes(md, text), "attr_list", 8)
    md.treeprocessors.register(_Unescape(md, text), "unescape", 0)
    md.treeprocessors.register(_Ids(md), "toc", 5)


class _Whitespace(NormalizeWhitespace):
    """The library's own, but for the expression, which here begins with a character to look for."""

    def run(self, lines: list[str]) -> list[str]:
        source = "\n".join(lines).replace(STX, "").replace(ETX, "")
        source = source.replace("\r\n", "\n").replace("\r", "\n") + "\n\n"
        return _BLANK.sub("\n", source.expandtabs(self.md.tab_length)).split("\n")


class Text(Preprocessor):
    """Remembers the lines of a text, before parts of it are set aside as HTML."""

    def run(self, lines: list[str]) -> list[str]:
        self._text = "\n".join(lines)
        return lines

    def holds(self, sign: str) -> bool:
        """Whether the text has a sign anywhere."""
        return sign in self._text


class _Html(HtmlBlockPreprocessor):
    def __init__(self, md: Markdown, text: Text) -> None:
        super().__init__(md)
        self._text = text

    def run(self, lines: list[str]) -> list[str]:
        return super().run(lines) if self._text.holds("<") or self._text.holds("&") else lines


class Attributes(AttrListTreeprocessor):
    """`{#id .class}` are attributes; `{% raw %}`, `{{ x }}` and `{# x #}` are a template's, and text."""

    BASE_RE = r"\{\:?[ ]*((?!\#[\s#])[^\}\n %{][^\n]*)\}"  # type: ignore[misc]
    HEADER_RE = re.compile(rf"[ ]+{BASE_RE}[ ]*$")  # type: ignore[misc]
    BLOCK_RE = re.compile(rf"\n[ ]*{BASE_RE}[ ]*$")  # type: ignore[misc]
    INLINE_RE = re.compile(rf"^{BASE_RE}")  # type: ignore[misc]

    def __init__(self, md: Markdown, text: Text) -> None:
        super().__init__(md)
        self._text = text

    def run(self, doc: Element) -> None:
        if self._text.holds("{"):
            super().run(doc)


class _Unescape(UnescapeTreeprocessor):
    def __init__(self, md: Markdown, text: Text) -> None:
        super().__init__(md)
        self._text = text

    def run(self, root: Element) -> None:
        if self._text.holds("\\"):
            super().run(root)


class _Ids(Treeprocessor):
    def run(self, root: Element) -> None:
        used = {name for element in root.iter() if (name := element.get("id")) is not None}
        counters: dict[str, int] = {}
        for heading in root.iter():
            if heading.tag not in _HEADINGS:
                continue
            if "id" not in heading.attrib:
                name = unescape(self._name(heading))
                heading.set("id", unique(slugify_unicode(name, "-"), used, counters))
            heading.attrib.pop("data-toc-label", None)

    def _name(self, heading: Element) -> str:
        text = heading.text or ""
        if not len(heading) and not _MARKUP.search(text):
            return " ".join(text.split())
        return strip_tags(render_inner_html(remove_fnrefs(heading), self.md))
