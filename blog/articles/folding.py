"""How a text becomes words for search, in any script: without case, accents and punctuation.

Both databases get the words from here, so that both find the same. Chinese and Japanese, written without
spaces, become overlapping pairs of characters.
"""

import re
import unicodedata

#: Between two fields; a symbol, so no word of a text is equal to it and no phrase reaches across.
BREAK = "¶"
#: In bytes: `MOST_WORDS` different words of this length still fit into a `tsvector`, which holds 1 MB.
LONGEST_WORD = 60
MOST_WORDS = 15_000

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(f"[{_UNSPACED}]+")
_COMMON = "‘’“”–—…·•→\u00a0"


class _Folds(dict[int, str]):
    """What each character becomes: nothing, letters, or a space; worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        bases = unicodedata.normalize("NFKD", chr(code)).casefold()
        kept = "".join(char for char in bases if not "\u0300" <= char <= "\u036f")
        folded = kept if all(char.isalnum() or unicodedata.category(char)[0] == "M" for char in kept) else " "
        self[code] = folded
        return folded


_FOLDS = _Folds({code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)})


def words(text: str) -> list[str]:
    """Return the folded words of a text, in order."""
    folded = _plain(text).translate(_FOLDS)
    found = (folded if folded.isascii() else _RUN.sub(_pairs, folded)).split()
    # Hardly any text has a longer one, and asking is quicker than cutting each.
    if 4 * max(map(len, found), default=0) <= LONGEST_WORD:
        return found
    return [_short(word) for word in found]


def _plain(text: str) -> str:
    """Take the usual typography out: what is left is mostly ASCII, which is folded twenty times as fast."""
    if not text.isascii():
        for char in _COMMON:
            text = text.replace(char, " ")
    return text


def aligned(text: str) -> str:
    """Return a text folded to exactly as many characters, so that a place in one is a place in the other."""
    folded = _plain(text).translate(_FOLDS)
    if len(folded) == len(text):
        return folded
    return "".join((_FOLDS[ord(char)] or char)[0] for char in text)


def is_unspaced(char: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    return _RUN.match(char) is not None


def _pairs(run: re.Match[str]) -> str:
    text = run[0]
    pairs = [text[place : place + 2] for place in range(len(text) - 1)]
    # The last one stands alone too, so that a single character is found wherever it is: as a beginning.
    return f" {' '.join([*pairs, text[-1]])} "


def _short(word: str) -> str:
    if len(word) * 4 <= LONGEST_WORD or (word.isascii() and len(word) <= LONGEST_WORD):
        return word
    return word.encode()[:LONGEST_WORD].decode(errors="ignore")
