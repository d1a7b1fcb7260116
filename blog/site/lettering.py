"""Letters on a card: the font, what it can draw, and a title broken into lines that fit."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import ImageFont

FOLDER = Path(__file__).resolve().parent / "card_fonts"
ELLIPSIS = "…"
#: From line to line, in sizes of the letters.
LEADING = 1.06

BOLD, MEDIUM = "head-bold.ttf", "head-medium.ttf"


@dataclass(frozen=True)
class Block:
    """Lines of one size."""

    lines: list[str]
    size: int

    @property
    def height(self) -> int:
        """The height of all lines together, in pixels."""
        return round(len(self.lines) * self.size * LEADING)


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font of the cards in a size."""
    return ImageFont.truetype(FOLDER / name, size)


def drawable(text: str) -> str | None:
    """Return `text` as the font can draw it, without pictures and marks; None when a letter would be lost.

    Half a title says something else than the whole: a title in another script is better left out.
    """
    given = unicodedata.normalize("NFC", text)
    if any(not _drawn(char) and unicodedata.category(char)[0] in "LN" for char in given):
        return None
    return " ".join("".join(map(_drawn, given)).split())


def fitted(text: str, width: int, height: int, sizes: range) -> Block:
    """Return `text` in the largest of `sizes` that fits into the box; the smallest is cut to fit."""
    for size in sizes:
        broken = _lines(text, width, size)
        block = Block(broken or [], size)
        if broken and block.height <= height:
            return Block(_balanced(text, width, size, len(broken)), size)
    return _cut(text, width, height, sizes[-1])


def shortened(text: str, width: int, name: str, size: int) -> str:
    """Return `text`, or as much of its beginning as fits into `width` with an ellipsis."""
    if font(name, size).getlength(text) <= width:
        return text
    while text and font(name, size).getlength(text + ELLIPSIS) > width:
        text = text[:-1].rstrip()
    return text + ELLIPSIS


@cache
def _drawn(char: str) -> str:
    """Return what stands for one character: itself, a plainer form, a space, or nothing."""
    if char.isspace():
        return " "
    for form in (char, *(unicodedata.normalize(name, char) for name in ("NFKC", "NFD"))):
        if all(_has_glyph(letter) for letter in form):
            return form
    return ""


def _has_glyph(char: str) -> bool:
    # Whatever the font lacks comes out as the same box as this character, which is in no font.
    ours, missing = font(BOLD, 32).getmask(char), font(BOLD, 32).getmask("\U0010ffff")
    return char.isprintable() and (ours.size, bytes(ours)) != (missing.size, bytes(missing))


def _lines(text: str, width: int, size: int) -> list[str] | None:
    """Return the lines of `text`, or None when one word alone is too long."""
    lines: list[str] = []
    for word in text.split():
        if font(BOLD, size).getlength(word) > width:
            return None
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(BOLD, size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _balanced(text: str, width: int, size: int, count: int) -> list[str]:
    """Return as many lines as before, as even in length as they can be."""
    low, high = width // 2, width
    while high - low > 8:
        middle = (low + high) // 2
        lines = _lines(text, middle, size)
        low, high = (low, middle) if lines and len(lines) <= count else (middle, high)
    return _lines(text, high, size) or []


def _cut(text: str, width: int, height: int, size: int) -> Block:
    pieces = " ".join(piece for word in text.split() for piece in _pieces(word, width, size))
    lines, most = _lines(pieces, width, size) or [], max(1, int(height / (size * LEADING)))
    if len(lines) > most:
        lines = [*lines[: most - 1], shortened(lines[most - 1] + " " + lines[most], width, BOLD, size)]
    return Block(lines, size)


def _pieces(word: str, width: int, size: int) -> list[str]:
    """Return a word in pieces, none of them wider than a line."""
    pieces = [""]
    for letter in word:
        if font(BOLD, size).getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
