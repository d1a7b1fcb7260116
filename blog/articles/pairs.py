"""Which words stand side by side in a text, as far as can be told without reading it.

PostgreSQL's index knows the words of a text and not their places, and reading a text costs it ten times what
looking at a picture does. A Bloom filter of all pairs of neighbours rules out nearly every text that has both
words of a phrase and not the phrase. Of its commonest words, which make most pairs, the index knows them: a
text has behind it a mark of each such word, and of each two that stand side by side. (FTS5 knows places.)
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from blog.articles.folding import BREAK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Of each pair, and how many the picture has room for: of pairs that are not there one in 250 looks as if.
EACH, ROOM = 4, 14
#: In bytes: with that of its keys, unless these are many, the picture of a text fits into its row, and four
#: rows into one of PostgreSQL's pages. Of more than a thousand pairs each has less room.
LARGEST = 1700
#: A word is common in a text that says it so often, and among so many of those that it says most.
COMMON, MOST_COMMON = 2, 60
#: In bytes: the mark of a pair is no longer than `folding.LONGEST_WORD`.
LONGEST_COMMON = 29
#: Begins a mark; a symbol, so no word of a text does.
_MARK = "+"

Hash = TypeVar("Hash", int, "NDArray[np.int64]")


def picture(words: Sequence[str]) -> bytes:
    """Return the bits of all pairs of neighbours; the more there are, the larger it is."""
    # Here: who only searches, as a web server does, needs no numbers.
    import numpy as np

    present = {f"{one} {other}" for one, other in pairwise(words) if BREAK not in (one, other)}
    hashes = np.fromiter((zlib.crc32(pair.encode()) for pair in present), np.int64, len(present))
    bits = np.zeros(8 * min(1 + len(present) * ROOM // 8, LARGEST), np.uint8)
    bits[np.concatenate(_numbers(hashes)) % len(bits)] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def numbers(phrase: Sequence[str]) -> list[int]:
    """Return the bits that are set in the picture of every text with this phrase, each modulo its size."""
    hashes = (zlib.crc32(f"{one} {other}".encode()) for one, other in pairwise(phrase))
    return [number for found in hashes for number in _numbers(found)]


def marked(words: Sequence[str]) -> str:
    """Return a text of these words with its marks: of what it says often, and of each pair of that."""
    said = Counter(words).most_common(MOST_COMMON)
    common = {word: mark(word) for word, times in said if times >= COMMON and _may_be_marked(word)}
    pairs = dict.fromkeys(pair for pair in pairwise(words) if pair[0] in common and pair[1] in common)
    return " ".join([*words, *common.values(), *(mark(*pair) for pair in pairs)])


def _may_be_marked(word: str) -> bool:
    return word != BREAK and len(word.encode()) <= LONGEST_COMMON


def unmarked(text: str) -> str:
    """Return a text without its marks."""
    return text.partition(_MARK)[0].rstrip()


def mark(*words: str) -> str:
    """Return the mark of a word, or of two side by side."""
    return "".join(_MARK + word for word in words)


def _numbers(found: Hash) -> list[Hash]:
    # Two hashes do for as many as are wanted (Kirsch and Mitzenmacher, 2006).
    one, other = found >> 16, found & 0xFFFF | 1
    return [one + number * other for number in range(EACH)]
