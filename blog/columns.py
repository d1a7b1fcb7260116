"""Plain text in columns: broken where a line may break, by the width that signs have on a screen."""

import re
import unicodedata

WIDTH = 72
_TOKENS = re.compile(r"[ \t\r\n\f\v]+|[^ \t\r\n\f\v]+")
#: Begins no line, by the rules of the scripts that have no spaces.
_CLINGING = set("、。，．：；？！）」』】〕》〉”’…ー々,.;:!?)]}")


def width(text: str) -> int:
    """Return how many columns a text takes: two for a wide sign, none for one that joins another."""
    return len(text) if text.isascii() else sum(map(_width, text))


def wrapped(text: str, first: str = "", rest: str = "", most: int = WIDTH) -> str:
    """Return a paragraph as lines of at most `most` columns, the first behind `first`, others behind `rest`.

    What has no place to break, such as an address, stays whole on a line of its own.
    """
    lines, prefix, line, gap = [], first, "", ""
    for token in _tokens(text):
        if token.isspace():
            gap = " "
            continue
        if line and width(prefix + line + gap + token) > most:
            lines.append(prefix + line)
            prefix, line, gap = rest, "", ""
        line += (gap if line else "") + token
        gap = ""
    return "\n".join([*lines, prefix + line]).rstrip(" \t")


def underlined(text: str, mark: str = "=") -> str:
    """Return a heading with a line below it."""
    said = wrapped(text)
    return f"{said}\n{mark * max(map(width, said.split(chr(10))))}" if said else ""


def _tokens(text: str) -> list[str]:
    """Return what may be parted: blanks, words, and the signs of scripts that are written without spaces."""
    found: list[str] = []
    for token in _TOKENS.findall(text):
        if token.isascii() or token.isspace() or "://" in token or not any(map(_is_wide, token)):
            found.append(token)
            continue
        for sign in token:
            clings = sign in _CLINGING or not _width(sign) or not _is_wide(sign)
            if found and clings and not found[-1].isspace() and _joins(found[-1], sign):
                found[-1] += sign
            else:
                found.append(sign)
    return found


def _joins(before: str, sign: str) -> bool:
    return sign in _CLINGING or not _width(sign) or not _is_wide(before[-1])


def _is_wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF"


def _width(sign: str) -> int:
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if _is_wide(sign) else 1
