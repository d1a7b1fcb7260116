"""Our Markdown: Python-Markdown with its own extensions, and the few rules writers take for granted."""

import re
from functools import lru_cache
from html import escape
from typing import cast
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor, HashHeaderProcessor
from markdown.extensions import Extension
from markdown.extensions.attr_list import AttrListTreeprocessor
from markdown.extensions.toc import slugify_unicode
from markdown.inlinepatterns import InlineProcessor, SimpleTagInlineProcessor
from markdown.preprocessors import Preprocessor
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from blog.content import brackets, effort, formulas, inline, quotes
from blog.content.blocks import Normaliser, Stores

CODE_CLASS = "highlight"
#: Longer code is shown without colours: some of the highlighter's grammars take long over it.
LONGEST_CODE = 100_000
_LANGUAGE = re.compile(r"\{?\s*\.?([\w#+-]+)")
_MARKED_SPACE = re.compile(r'<span class="w">(\s*)</span>')  # a quarter of the bytes, and nothing to see
_MARKED_LINE = re.compile(r'<span class="hll">(.*?\n)</span>')
_TITLE = re.compile(r"""\btitle=["']([^"']+)["']""")
_MARKED_LINES = re.compile(r"\{([\d,\s-]+)\}")
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
        md.treeprocessors.register(_Attributes(md), "attr_list", 8)
        md.parser.blockprocessors.register(_SpacedHashHeaders(md.parser), "hashheader", 70)
        md.parser.blockprocessors.register(_Plain(md.parser), "plain", 200)
        brackets.register(md)
        md.inlinePatterns.register(SimpleTagInlineProcessor(r"(~~)(?=\S)(.+?)(?<=\S)~~", "del"), "strike", 55)
        md.inlinePatterns.register(_BareAddress(_BARE_ADDRESS, md), "bare_address", 85)
        inline.register(md)
        quotes.register(md)


class _Blocks(Preprocessor):
    """Puts lists and fences into the form the parser expects; code is highlighted and set aside."""

    def __init__(self, md: Markdown, raw: bool) -> None:
        super().__init__(md)
        self._raw = raw
        self.mistakes: list[Mistake] = []

    def run(self, lines: list[str]) -> list[str]:
        self.mistakes = []
        normalised = Normaliser(Stores(self._code, self._html, self._formula, self._report, self._raw)).run(
            lines
        )
        effort.measure(normalised)
        return normalised

    def _code(self, code: str, info: str) -> str:
        self._refuse_too_many(code)
        if info.strip("{. }") == "math":
            return self.formula(code, True)
        return self._html(highlighted(code, info))

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


class _Attributes(AttrListTreeprocessor):
    """`{#id .class}` are attributes; `{% raw %}`, `{{ x }}` and `{# x #}` are a template's, and text."""

    BASE_RE = r"\{\:?[ ]*((?!\#[\s#])[^\}\n %{][^\n]*)\}"  # type: ignore[misc]
    HEADER_RE = re.compile(rf"[ ]+{BASE_RE}[ ]*$")  # type: ignore[misc]
    BLOCK_RE = re.compile(rf"\n[ ]*{BASE_RE}[ ]*$")  # type: ignore[misc]
    INLINE_RE = re.compile(rf"^{BASE_RE}")  # type: ignore[misc]


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


def highlighted(code: str, info: str) -> str:
    """Return a code block as HTML with the classes of its tokens; `info` is what stands behind the fence."""
    language, marked = _LANGUAGE.match(info), _MARKED_LINES.search(info)
    plain = not language or len(code) > LONGEST_CODE
    lexer = _lexer("text" if plain or not language else language.group(1))
    lines = _line_numbers(marked.group(1)) if marked else []
    html = highlight(code, lexer, _formatter(lines) if lines else _FORMATTER)
    html = _MARKED_LINE.sub(r'<mark class="hll">\1</mark>', _MARKED_SPACE.sub(r"\1", html))
    title = _TITLE.search(info)
    if title is None:
        return html
    return f'<figure class="code"><figcaption>{escape(title.group(1))}</figcaption>{html}</figure>'


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer:
    try:
        return get_lexer_by_name(name)
    except ClassNotFound:
        return get_lexer_by_name("text")


def _formatter(marked: list[int]) -> HtmlFormatter[str]:
    return HtmlFormatter(cssclass=CODE_CLASS, wrapcode=True, hl_lines=marked)


#: Making one costs as much as using it, and without marked lines all are the same.
_FORMATTER = _formatter([])


def _line_numbers(text: str) -> list[int]:
    """Return the lines named by `3,5-7`; far-away numbers are cut, since the list is written out."""
    lines: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.strip().isdigit() and (last.strip() or first).strip().isdigit():
            start, end = int(first[:6]), int((last.strip() or first)[:6])
            lines.extend(range(start, min(end, start + 1_000) + 1))
    return lines
