"""Which words may stand side by side in a text: a small picture of it, looked at before the text is read.

PostgreSQL's index knows the words of a text and not their places, and reading a text costs it ten times what
looking at a row does. A Bloom filter of all pairs of neighbours rules out nearly every text that has both
words of a phrase and not the phrase. (FTS5 knows places.)
"""

import zlib
from collections.abc import Sequence
from itertools import pairwise

#: A kilobyte a text: of 1,100 pairs, one in twenty that is not there looks as if it was.
BITS = 8192
_SHIFT = 13


def picture(words: Sequence[str]) -> bytes:
    """Return the bits of all pairs of neighbours."""
    found = bytearray(BITS // 8)
    for pair in set(pairwise(words)):
        for bit in _bits(" ".join(pair)):
            found[bit >> 3] |= 1 << (bit & 7)
    return bytes(found)


def bits(phrase: Sequence[str]) -> list[int]:
    """Return the bits that are set in the picture of every text with this phrase."""
    return [bit for pair in pairwise(phrase) for bit in _bits(" ".join(pair))]


def _bits(pair: str) -> tuple[int, int]:
    number = zlib.crc32(pair.encode())
    return number % BITS, (number >> _SHIFT) % BITS
