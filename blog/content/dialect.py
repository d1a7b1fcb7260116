"""Our Markdown: Python-Markdown with its own extensions, and the few rules writers take for granted."""

import re
from collections.abc import Sequence
from functools import partial
from typing import cast
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor, HashHeaderProcessor
from markdown.extensions import Extension
from markdown.extensions.toc import slugify_unicode
from markdown.inlinepatterns import InlineProcessor, SimpleTagInlineProcessor
from markdown.preprocessors import Preprocessor

from blog.content import brackets, effort, formulas, inline, passes, quotes
from blog.content.blocks import Normaliser, Stores
from blog.content.highlighting import CODE_CLASS, highlighted

_FORMULA_HINT = "mend it, or write \\$ where a dollar is meant; its source is shown"
# An escaped sign inside belongs to the address; what stands for a footnote or code right behind it does not.
_BARE_ADDRESS = (
    r"(?<![\w\"'=/(<\[])(https?://(?:[^\s<>\"'`\[\]\x02\x03]|\x02\d+\x03)*"
    r"[^\s<>\"'`\[\].,;:!?)*_~\x02\x03])"
)


#: Where it is (a line counted from 0, or words of the text to find it by), what is wrong, and how to mend it.
Mistake = tuple[int | str, str, str]


def new_markdown(*, html: bool = True) -> Markdown:
    """Return a converter, which may not be shared between threads; without `html`, tags are text."""
    return Markdown(
        extensions=[
            "toc",
            "footnotes",
            "tables",
            "attr_list",
            "def_list",
            "abbr",
            "admonition",
            "md_in_html",
            "sane_lists",
            "codehilite",
            "smarty",
            _Dialect(html),
        ],
        extension_configs={
            "toc": {"permalink": False, "marker": "", "slugify": slugify_unicode},
            "footnotes": {"USE_DEFINITION_ORDER": False},
            "tables": {"use_align_attribute": True},
            "codehilite": {"css_class": CODE_CLASS, "guess_lang": False, "linenums": False},
            # Dashes stay as typed: `--help` outside a code span is an option far more often than a dash.
            "smarty": {"smart_dashes": False},
        },
        output_format="html",
    )


def mistakes(md: Markdown) -> list[Mistake]:
    """Return what was wrong in the text converted last."""
    return list(cast(_Blocks, md.preprocessors["blocks"]).mistakes)


def codes(md: Markdown) -> list[str]:
    """Return the insides of the code blocks of the text converted last, which has marks in their places."""
    return list(cast(_Blocks, md.preprocessors["blocks"]).codes)


class _Dialect(Extension):
    def __init__(self, html: bool) -> None:
        super().__init__()
        self._html = html

    def extendMarkdown(self, md: Markdown) -> None:
        blocks = _Blocks(md, self._html)
        if not self._html:
            md.preprocessors.deregister("html_block")
            md.inlinePatterns.deregister("html")
        md.preprocessors.register(blocks, "blocks", 25)
        md.inlinePatterns.register(formulas.Formulas(md, blocks.formula), "formula", 185)
        if "$" not in md.ESCAPED_CHARS:
            md.ESCAPED_CHARS.append("$")
        md.parser.blockprocessors.register(_SpacedHashHeaders(md.parser), "hashheader", 70)
        md.parser.blockprocessors.register(_Plain(md.parser), "plain", 200)
        brackets.register(md)
        md.inlinePatterns.register(SimpleTagInlineProcessor(r"(~~)(?=\S)(.+?)(?<=\S)~~", "del"), "strike", 55)
        md.inlinePatterns.register(_BareAddress(_BARE_ADDRESS, md), "bare_address", 85)
        inline.register(md)
        quotes.register(md)
        passes.register(md)
        # From here on nothing is registered; the library would put all in order again for every block.
        md.parser.parseBlocks = partial(_parse_blocks, tuple(md.parser.blockprocessors))  # type: ignore[method-assign]


def _parse_blocks(processors: Sequence[BlockProcessor], parent: Element, blocks: list[str]) -> None:
    while blocks:
        for processor in processors:
            if processor.test(parent, blocks[0]) and processor.run(parent, blocks) is not False:
                break


class _Blocks(Preprocessor):
    """Puts lists and fences into the form the parser expects; code is highlighted and set aside."""

    def __init__(self, md: Markdown, raw: bool) -> None:
        super().__init__(md)
        self._raw = raw
        self.mistakes: list[Mistake] = []
        self.codes: list[str] = []

    def run(self, lines: list[str]) -> list[str]:
        self.mistakes, self.codes = [], []
        normalised = Normaliser(Stores(self._code, self._html, self._formula, self._report, self._raw)).run(
            lines
        )
        effort.check(normalised)
        return normalised

    def _code(self, code: str, info: str) -> str:
        self._refuse_too_many(code)
        if info.strip("{. }") == "math":
            return self.formula(code, True)
        block = highlighted(code, info)
        self.codes.append(block.inside)
        return self._html(block.html(len(self.codes) - 1))

    def formula(self, source: str, block: bool) -> str:
        """Return what stands for a formula; of one that is not understood, for its source."""
        self._refuse_too_many(source)
        try:
            return self._html(formulas.mathml(source, block=block))
        except formulas.Unreadable as mistake:
            words = next((line for line in source.split("\n") if line.strip()), "$$")
            self.mistakes.append((words, f"the formula cannot be shown: {mistake}", _FORMULA_HINT))
            return self._html(formulas.shown_as_code(source, block=block))

    def _formula(self, source: str) -> str:
        return self.formula(source, True)

    def _report(self, line: int, message: str, hint: str) -> None:
        self.mistakes.append((line, message, hint))

    def _refuse_too_many(self, block: str) -> None:
        if self.md.htmlStash.html_counter > effort.MOST_LINES:
            raise effort.TooMuch(block, f"there are more than {effort.MOST_LINES:,} blocks of code and HTML")

    def _html(self, html: str) -> str:
        self._refuse_too_many(html)
        return str(self.md.htmlStash.store(html))


class _Plain(BlockProcessor):
    """A block in which every line begins with a letter, and no bar is, can be nothing but a paragraph.

    Asked first, it spares such blocks, which most are, the twenty questions of the others.
    """

    _LINES = re.compile(r"(?:[^\W\d_][^\n|]*(?:\n|\Z))+")

    def test(self, _parent: Element, block: str) -> bool:
        return self._LINES.fullmatch(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        self.parser.blockprocessors["paragraph"].run(parent, blocks)


class _SpacedHashHeaders(HashHeaderProcessor):
    """A heading needs a space: `#[derive]` and `#123` at the start of a line are text."""

    RE = re.compile(r"(?:^|\n)(?P<level>#{1,6})[ \t]+(?P<header>(?:\\.|[^\\\n])*?)[ \t]*#*[ \t]*(?:\n|$)")


class _BareAddress(InlineProcessor):
    """An address in running text is a link."""

    ANCESTOR_EXCLUDES = ("a",)

    def handleMatch(  # type: ignore[override]  # the library's own stubs disagree with its code
        self,
        m: re.Match[str],
        data: str,  # noqa: ARG002
    ) -> tuple[Element, int, int]:
        link = Element("a", {"href": self.unescape(m.group(1))})
        link.text = m.group(1)
        return link, m.start(0), m.end(0)
