"""An article's plain words: the prose alone, its length, and the lines that introduce it."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from blog.content.tree import BLOCKS, classes

EXCERPT = 180
GREETING = 40
WORDS_A_MINUTE = 230
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
#: With these replaced most texts are ASCII.
_TYPOGRAPHY = (("’", "'"), *((sign, " ") for sign in "‘“”–—…·•→\u00a0"))
_JOINED = {
    code: chr(code) if chr(code).isalnum() else "." if chr(code) in "'.-" else " " for code in range(128)
}
_NOT_PROSE = {"pre", "figcaption", "video", "math"}
_MARKS = {"footnote-ref", "footnote-backref"}
#: Stands in no text: it is none of the characters that HTML has.
_BORDER = "\0"
_ASIDE = {"footnote", "admonition"}
_NO_OPENING = {"blockquote", "figure", "details", "table", "pre", "li", "dd"}


def prose(root: Element) -> str:
    """Return the text people read, one block a line: no code blocks, no captions, no marks of footnotes."""
    pieces: list[str] = []
    _collect(root, pieces.append)
    # White space inside a block is layout, not a border between blocks.
    lines = (" ".join(line.split()) for line in "".join(pieces).split(_BORDER))
    return "\n".join(line for line in lines if line)


def _collect(element: Element, put: Callable[[str], None]) -> None:
    if element.tag in _NOT_PROSE or (element.get("class") and classes(element) & _MARKS):
        return
    border = _BORDER if element.tag in BLOCKS else ""
    put(border)
    if element.text:
        put(element.text)
    for child in element:
        _collect(child, put)
        if child.tail:
            put(child.tail)
    put(border)


def count(text: str) -> int:
    """Return the number of words."""
    plain = text
    for sign, other in () if text.isascii() else _TYPOGRAPHY:
        plain = plain.replace(sign, other)
    if not plain.isascii():
        return len(_WORD.findall(text))
    # As the expression counts, with less work: a dot stands for what joins two parts of one word.
    pieces = plain.translate(_JOINED).replace("..", "  ").split()
    return len(pieces) - pieces.count(".")


def minutes(words: int, root: Element) -> int:
    """Return the reading time; code counts half."""
    code = sum(count("".join(block.itertext())) for block in root.iter("pre"))
    return max(1, round((words + code / 2) / WORDS_A_MINUTE))


def opening(root: Element) -> str:
    """Return how the running text begins, or else the first text there is; a bare greeting does not count."""
    begun = ""
    for paragraph in _running_paragraphs(root):
        begun = f"{begun} {' '.join(prose(paragraph).split())}".strip()
        if len(begun) >= GREETING:
            return begun
    return begun or prose(root).partition("\n")[0]


def _running_paragraphs(element: Element) -> list[Element]:
    found: list[Element] = []
    for child in element:
        if child.tag == "p":
            found.append(child)
        elif child.tag not in _NO_OPENING and not classes(child) & _ASIDE:
            found.extend(_running_paragraphs(child))
    return found


def cut(text: str, limit: int = EXCERPT) -> str:
    """Return `text` in at most `limit` characters, cut between words and marked as cut."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    head, _, _ = text[:limit].rpartition(" ")
    return (head or text[: limit - 1]).rstrip(" ,;:.–—-(") + "…"
