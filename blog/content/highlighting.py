"""Code with the colours of its language, set aside while the text around it is worked on.

The highlighter makes some hundred elements of the code of an article, all of them harmless, which nobody
mends: were they in the tree, sanitising, mending and writing it would take half as long again.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape, unescape
from operator import itemgetter
from typing import NamedTuple
from xml.etree.ElementTree import Element

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from blog.content.lexing import quick
from blog.content.tree import Finished, is_plain

CODE_CLASS = "highlight"
#: Longer code is shown without colours: some of the highlighter's grammars take long over it.
LONGEST_CODE = 100_000
#: Stands around the number of what was set aside. No character; who writes it sees the code of that number.
MARK = "\ufdd0"

_LANGUAGE = re.compile(r"\{?\s*\.?([\w#+-]+)")
_MARKED_SPACE = re.compile(r'<span class="w">(\s*)</span>')  # a quarter of the bytes, and nothing to see
_INSIDE = itemgetter(1)  # a template would be filled in by Python, place by place
_MARKED_LINE = re.compile(r'<span class="hll">(.*?\n)</span>')
_TITLE = re.compile(r"""\btitle=["']([^"']+)["']""")
_MARKED_LINES = re.compile(r"\{([\d,\s-]+)\}")
_TAG = re.compile("<[^>]*>")


class Block(NamedTuple):
    """A code block in three parts: its colours are between what stands before and behind the code."""

    before: str
    inside: str
    after: str

    def html(self, number: int) -> str:
        """Return it with a mark in the place of the code; whole where the code is not to be set aside."""
        inside = f"{MARK}{number}{MARK}" if is_plain(self.inside) else self.inside
        return f"{self.before}{inside}{self.after}"


def highlighted(code: str, info: str) -> Block:
    """Return a code block with the classes of its tokens; `info` is what stands behind the fence."""
    language, marked = _LANGUAGE.match(info), _MARKED_LINES.search(info)
    plain = not language or len(code) > LONGEST_CODE
    lexer = _lexer("text" if plain or not language else language.group(1))
    lines = _line_numbers(marked.group(1)) if marked else []
    html = highlight(code, lexer, _formatter(lines) if lines else _FORMATTER)
    html = _MARKED_SPACE.sub(_INSIDE, html)
    html = _MARKED_LINE.sub(r'<mark class="hll">\1</mark>', html) if lines else html
    before, opening, rest = html.partition("<code>")
    inside, closing, after = rest.rpartition("</code>")
    before, after = before + opening, closing + after
    title = _TITLE.search(info)
    if title is None:
        return Block(before, inside, after)
    caption = f'<figure class="code"><figcaption>{escape(title.group(1))}</figcaption>'
    return Block(caption + before, inside, f"{after}</figure>")


def put_back(root: Element, codes: Sequence[str]) -> None:
    """Put the insides of code blocks where their marks are."""
    for block in root.iter("pre") if codes else ():
        for code in block.iter("code"):
            number = (code.text or "").strip(MARK)
            if number.isdecimal() and code.text == f"{MARK}{number}{MARK}" and int(number) < len(codes):
                inside = codes[int(number)]
                # As the sanitiser writes text: quotes are themselves.
                html = inside.replace("&quot;", '"').replace("&#39;", "'")
                code.text = Finished(unescape(_TAG.sub("", inside)), html)


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer:
    try:
        return quick(get_lexer_by_name(name))
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
