"""Header lines by the rules that one-click unsubscribing and strict relays depend on.

The standard library's policies turn a URL of 76 characters or more into encoded words, which RFC 2047 §5
forbids in structured fields and which takes the unsubscribe button away; they write empty encoded words for
some subjects, and accept a line break in a field's name. So the lines are written here, field by field, and
a name that is not in the list below is refused.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from email.header import Header

from blog.delivery.addresses import parse
from blog.delivery.splice import MARK

CRLF = "\r\n"
WANTED_LINE, LONGEST_LINE = 76, 998  # RFC 5322 §2.1.1, with room for the folding space
LONGEST_WORD = 60

#: A value that each recipient fills in later, see `splice`.
HOLE = re.compile(f"{MARK}[a-z_-]+{MARK}")
_MAILBOX = re.compile(r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<phrase>[^<>"]*?)) ?<(?P<address>[^<>\s"]+)>')
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")


@dataclass(frozen=True)
class Mailbox:
    """A name to show, perhaps empty, and the address on the wire."""

    name: str
    address: str


def mailbox(value: str) -> Mailbox:
    """Read `Name <address>` or a bare address, as settings and our own code write them."""
    found = _MAILBOX.fullmatch(value.strip())
    if not found and re.search(r'[\s<>"]', value):
        raise ValueError("a mailbox is written as: Name <name@example.org>")
    if not found:
        return Mailbox("", _wire(value))
    quoted, phrase = found["quoted"], found["phrase"]
    name = phrase if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return Mailbox(name.strip(), _wire(found["address"]))


def list_id(name: str, domain: str) -> str:
    """Return what all mails of the list carry, for mail programs that sort by it (RFC 2919)."""
    said = " ".join(re.sub(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029]', " ", name).split())
    return f'"{said}" <digest.{domain}>' if said else f"<digest.{domain}>"


def line(name: str, value: str, holes: bool = False) -> bytes:
    """Return one header field, folded and ended; raise `ValueError` for anything that does not belong."""
    write = FIELDS.get(name)
    if write is None:
        raise ValueError(f"the header field {name!r} is not in the list of those we send")
    check_characters(HOLE.sub("x", value) if holes else value)
    field = f"{name}: {write(name, value)}"
    if max(len(part.encode()) for part in field.split(CRLF)) > LONGEST_LINE:
        raise ValueError(f"the value of {name} is too long for one line")
    return (field + CRLF).encode()


def check_characters(value: str, also: str = "") -> None:
    """Refuse control characters and line separators, save those in `also`: they begin a new header field."""
    for character in dict.fromkeys(value):  # each once: a body has tens of thousands of a hundred kinds
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in also:
            raise ValueError(f"the character U+{ord(character):04X} does not belong into a mail")


def _wire(address: str) -> str:
    return address if address.isascii() else parse(address).wire


def _text(name: str, value: str) -> str:
    words = value.split(" ")
    plain = value.isascii() and value == value.strip() and "=?" not in value
    if plain and len(name) + 2 + len(value) <= WANTED_LINE:
        return value
    if plain and max(map(len, words)) <= LONGEST_WORD:
        return Header(value, "us-ascii", WANTED_LINE, name).encode(linesep=CRLF)
    return _encoded(name, value)


def _encoded(name: str, value: str) -> str:
    # Encoded words of at most 75 characters, none empty (RFC 2047 §2).
    return Header(value, "utf-8", WANTED_LINE, name).encode(linesep=CRLF)


def _phrase_and_address(name: str, value: str) -> str:
    found = mailbox(value)
    if not found.name:
        return found.address if name != "List-Id" else f"<{found.address}>"
    phrase = _phrase(name, found.name)
    last_line = phrase.rpartition(CRLF)[2]
    apart = CRLF + " " if len(name) + len(last_line) + len(found.address) > WANTED_LINE - 5 else " "
    return f"{phrase}{apart}<{found.address}>"


def _phrase(name: str, value: str) -> str:
    if not value.isascii() or "=?" in value or len(value) > LONGEST_WORD:
        return _encoded(name, value)
    if _ATOMS.fullmatch(value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _recipient(_name: str, value: str) -> str:
    if not value or re.search(r'[\s<>,;"]', value):
        raise ValueError("a mail goes to one address, without a name")
    return value  # A local part outside ASCII stays as it is: the relay must speak SMTPUTF8 (RFC 6532 §3.2).


def _message_id(name: str, value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value) and not HOLE.fullmatch(value):
        raise ValueError("a Message-ID is written as: <something@example.org>")
    return _verbatim(name, value)


def _verbatim(name: str, value: str) -> str:
    """Return the value as it is, never encoded; folded, where it is long, between `<…>` and `<…>` only."""
    if not value or not value.isascii():
        raise ValueError(f"the value of {name} has to be plain ASCII")
    if len(name) + 2 + len(value) <= WANTED_LINE:
        return value
    return re.sub(r">(,?) *<", rf">\1{CRLF} <", value)


Writer = Callable[[str, str], str]

#: Every header field a mail of ours may carry, by its exact name, and how its value is written.
FIELDS: dict[str, Writer] = {
    "From": _phrase_and_address,
    "Reply-To": _phrase_and_address,
    "To": _recipient,
    "Subject": _text,
    "Date": _verbatim,
    "Message-ID": _message_id,
    "List-Id": _phrase_and_address,
    **dict.fromkeys(
        (
            "In-Reply-To", "References", "Archived-At", "Feedback-ID", "Precedence", "Auto-Submitted",
            "X-Auto-Response-Suppress", "X-Delivery", "List-Unsubscribe", "List-Unsubscribe-Post",
            "List-Help", "List-Subscribe", "List-Owner", "List-Archive", "List-Post",
        ),
        _verbatim,
    ),
}  # fmt: skip
