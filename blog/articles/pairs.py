"""Which words stand side by side in a text, as far as can be told without reading it.

PostgreSQL's index knows the words of a text and not their places, and reading a text costs it ten times what
looking at a row does. A Bloom filter of all pairs of neighbours rules out nearly every text that has both
words of a phrase and not the phrase. Of its commonest words, which make most pairs, the index knows them: a
text has behind it a mark of each such word, and of each two that stand side by side. (FTS5 knows places.)
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from blog.articles.folding import BREAK

#: A kilobyte a text: of 1,100 pairs, one in twenty that is not there looks as if it was.
BITS = 8192
_SHIFT = 13
#: Bits of each pair.
EACH = 2
#: A word is common in a text that says it so often, and among so many of those that it says most.
COMMON, MOST_COMMON = 4, 30
#: In bytes: the mark of a pair is no longer than `folding.LONGEST_WORD`.
LONGEST_COMMON = 29
#: Begins a mark; a symbol, so no word of a text does.
_MARK = "+"


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


def _bits(pair: str) -> tuple[int, int]:
    number = zlib.crc32(pair.encode())
    return number % BITS, (number >> _SHIFT) % BITS
