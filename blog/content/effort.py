"""How much work a text would make for the parser, counted before it is parsed.

Python-Markdown takes time that grows with a paragraph's length times the signs in it that may begin
something; 30 KB of nothing but such signs took ten seconds. Counted is what that product comes to, so that
the same text is accepted or refused on every machine, however fast. Of 1,331 published posts the heaviest
comes to 8 million.
"""

import re
from collections.abc import Iterator, Sequence

#: Refused beyond this; what comes closest takes some seconds.
MOST_WORK = 100_000_000
MOST_LINES = 10_000
MOST_NOTES = 1_000
MOST_ABBREVIATIONS = 200
DEEPEST = 20
#: The sanitiser's time grows with the square of the depth.
DEEPEST_HTML = 100

_SIGN = re.compile(r"[\[\]()`*_~<>&\\\"'!${}|]")
_OWN_TEXT = re.compile(r"\s*(?:[-+*] |\d{1,9}\. |#{1,6} |>|\||\[[^\]]+\]:)")
_SPLITS = re.compile(r"\s*(?:#{1,6} |[=-]+ *$|\[\^|!!! |: )")
_NOTE = re.compile(r"\s*\[\^[^\]]*\]:")
_ABBREVIATION = re.compile(r"\*\[")
# The library's HTML parser reads on to the end of the document for every tag that is not closed.
_UNCLOSED_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*(?=<|$)")
_TAG_WEIGHT = 4
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NEVER_DEEP = {
    *("area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"),
    *("dd", "dt", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr"),
}


class TooMuch(Exception):
    """A text that would take too long, or nests too deeply; `line` is one of its lines, to find it by."""

    def __init__(self, line: str, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def check(lines: Sequence[str]) -> None:
    """Raise `TooMuch` when a text's lines make more work than is allowed."""
    if len(lines) > MOST_ABBREVIATIONS or limit(lines) > MOST_WORK:
        measure(lines)


def limit(lines: Sequence[str]) -> int:
    """Return what the work of a text's lines cannot exceed, wherever in them its signs stand."""
    text = "\n".join(lines)
    return len(text) * (len(lines) + len(_SIGN.findall(text)) + _TAG_WEIGHT * text.count("<"))


def measure(lines: Sequence[str]) -> int:
    """Return the work a text's lines make; raises `TooMuch` when that is more than is allowed."""
    _count(lines, MOST_LINES, "lines of text", "")
    _count(lines, MOST_NOTES, "footnotes", _NOTE)
    _count(lines, MOST_ABBREVIATIONS, "abbreviations", _ABBREVIATION)
    whole = sum(map(len, lines))
    work, largest, heaviest = 0, 0, ""
    for block in _blocks(lines):
        of_block = _of_block(block, whole)
        work += of_block
        if of_block > largest:
            largest, heaviest = of_block, block[0]
    if work > MOST_WORK:
        raise TooMuch(heaviest, "too many signs that may begin something stand in one paragraph")
    return work


def check_depth(html: str) -> None:
    """Raise `TooMuch` when elements stand too deep in one another."""
    depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _NEVER_DEEP:
            depth = max(0, depth - 1) if closing else depth + 1
            if depth > DEEPEST_HTML:
                raise TooMuch(f"<{name}", f"HTML stands more than {DEEPEST_HTML} deep, or is not closed")


def _count(lines: Sequence[str], most: int, things: str, pattern: "re.Pattern[str] | str") -> None:
    if len(lines) <= most:
        return
    number = 0
    for line in lines:
        if pattern.match(line) if isinstance(pattern, re.Pattern) else line.strip():
            number += 1
            if number > most:
                raise TooMuch(line, f"there are more than {most:,} {things}")


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _of_block(block: list[str], whole: int) -> int:
    size = sum(map(len, block))
    splits = sum(1 for line in block if _SPLITS.match(line))
    unclosed = sum(len(_UNCLOSED_TAG.findall(line)) for line in block if "<" in line)
    return splits * size + unclosed * whole * _TAG_WEIGHT + sum(map(_of_text, _texts(block)))


def _texts(block: list[str]) -> Iterator[str]:
    """Yield what the parser takes as one text: a paragraph, a list's item, a table's row."""
    start = 0
    for number, line in enumerate(block):
        if number > start and _OWN_TEXT.match(line):
            yield "\n".join(block[start:number])
            start = number
    yield "\n".join(block[start:])


def _of_text(text: str) -> int:
    return len(text) * len(_SIGN.findall(text))
