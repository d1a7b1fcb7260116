"""The publisher's own fonts: WOFF2 files in the content folder, named under `[fonts]` in `site.toml`."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from blog.content import offers
from blog.theme import FAMILIES

USES = tuple(FAMILIES)
KINDS = {".woff2": "font/woff2"}
#: Both of ours together have 60; a page waits for its fonts.
MOST_KB = 100

_NAME = re.compile(r"(?!/)(?!.*\.\.)[\w./-]+\.woff2")
# From WOFF2 (W3C, 2024), sections 4 and 4.1: where the tables are listed, and the numbers of some.
_SIGNATURE, _LIST, _GLYPHS, _VARIATIONS, _UNNUMBERED = b"wOF2", 48, (10, 11), 47, 63


def named(name: str) -> str | None:
    """Return the name of a font as its address has it; None when no font can be named so."""
    return str(PurePosixPath(name)) if _NAME.fullmatch(name) else None


def read(content_dir: Path, name: str) -> bytes | None:
    """Return the bytes of a font; None when there is no such file, or it is no WOFF2."""
    path = offers.inside(content_dir, name, KINDS)
    try:
        data = path.read_bytes() if path else b""
        list(_tables(data))
    except (OSError, IndexError):
        return None
    return data if data.startswith(_SIGNATURE) else None


def has_weights(data: bytes) -> bool:
    """Whether a font is a variable one, which draws its bold itself."""
    return _VARIATIONS in _tables(data)


def _tables(data: bytes) -> Iterator[int]:
    """Yield the numbers of a font's tables; raise `IndexError` when their list is cut off."""
    at = _LIST
    for _ in range(int.from_bytes(data[12:14])):
        number, transformed = data[at] & 63, data[at] >> 6 != (3 if data[at] & 63 in _GLYPHS else 0)
        at += 5 if number == _UNNUMBERED else 1
        for _ in range(1 + transformed):  # its length, and what it was packed into: seven bits to a byte
            while data[at] & 128:
                at += 1
            at += 1
        yield number
