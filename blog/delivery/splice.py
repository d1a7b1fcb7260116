"""Frozen messages with holes: rendered and encoded once per variant, filled once per recipient.

The bytes of a variant are literal text with holes between NUL characters, `…\\0unsubscribe\\0…`; a finished
message holds no NUL, so the mark is free. In a quoted-printable body a hole stands on a line of its own
between soft line breaks, so that no line grows past 76 characters whatever fills it (RFC 2045 §6.7). Dots are
stuffed when the variant is frozen (RFC 5321 §4.5.2): what fills a hole never starts with a dot.
"""

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

MARK = "\0"
LONGEST_LINE = 76
_FILLING = re.compile(rb"[^\x00-\x20.\x7f][^\x00-\x1f\x7f]*\Z")


@dataclass(frozen=True)
class Segments:
    """A variant's bytes, split at its holes: literals and hole names in turn, a literal first and last."""

    parts: tuple[bytes, ...]

    @property
    def holes(self) -> frozenset[str]:
        """The names that a recipient has to fill."""
        return frozenset(name.decode() for name in self.parts[1::2])

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """Return the finished message; every hole must have a value that is plain and on one line."""
        filled = list(self.parts)
        filled[1::2] = [values[name.decode()] for name in self.parts[1::2]]
        for value in filled[1::2]:
            if not _FILLING.match(value):
                raise ValueError("a value that does not fit into a message")
        return b"".join(filled)


def hole(name: str) -> str:
    """Return the mark that stands for a value of each recipient's own."""
    return f"{MARK}{name}{MARK}"


def split(template: bytes) -> Segments:
    """Split frozen bytes at their holes."""
    parts = tuple(template.split(b"\0"))
    if len(parts) % 2 == 0:
        raise ValueError("a hole of the frozen message is not closed")
    return Segments(parts)


def quoted_printable(text: str) -> bytes:
    """Encode text with holes: CRLF lines of at most 76 characters, each hole on a line of its own."""
    pieces = text.split(MARK)
    encoded = [
        _room_for_a_break(_encode(piece)) if index % 2 == 0 else f"=\r\n\0{piece}\0=\r\n".encode()
        for index, piece in enumerate(pieces)
    ]
    return b"".join(encoded)


def stuff_dots(message: bytes) -> bytes:
    """Double the dot of each line that starts with one."""
    return re.sub(rb"(?m)^\.", b"..", message)


def unstuff_dots(message: bytes) -> bytes:
    """Undo `stuff_dots`, for what is said of a message as it arrives."""
    return message.replace(b"\r\n..", b"\r\n.")


def _encode(piece: str) -> bytes:
    octets = binascii.b2a_qp(piece.encode(), quotetabs=False, istext=True, header=False)
    # A blank at the end of a full line is encoded behind the limit (cpython's b2a_qp, 3.11 to 3.13).
    return b"\r\n".join(_broken(line) for line in re.split(rb"\r?\n", octets))


def _broken(line: bytes) -> bytes:
    pieces = []
    while len(line) > LONGEST_LINE:
        cut = LONGEST_LINE - 1
        escape = line.rfind(b"=", cut - 2, cut)  # never inside an =XX
        cut = escape if escape >= 0 else cut
        pieces.append(line[:cut] + b"=")
        line = line[cut:]
    return b"\r\n".join([*pieces, line])


def _room_for_a_break(encoded: bytes) -> bytes:
    """Break the last line once more if it is full: the mark of a soft break is to follow it."""
    start = encoded.rfind(b"\n") + 1
    if len(encoded) - start < LONGEST_LINE:
        return encoded
    cut = len(encoded) - 3
    escape = encoded.rfind(b"=", cut - 2, cut)  # never inside an =XX
    cut = escape if escape >= 0 else cut
    return encoded[:cut] + b"=\r\n" + encoded[cut:]
