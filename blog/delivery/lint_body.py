"""What is wrong with the octets and the parts of a mail, and with its text."""

import re
from collections.abc import Iterator

from blog.columns import width, wrapped
from blog.delivery.opened import Opened

LONGEST_LINE, ENCODED_LINE, TEXT_LINE = 998, 76, 72
LARGEST_TEXT = 20_000
#: Of the words in the HTML, how many are in the text as well; a button is put in other words there.
SAME_WORDS = 0.7
SAME_WORDS_IN_A_LIST_MAIL = 0.9
_ADDRESS = re.compile(r"https?://[^\s<>]+")


def line_ends(mail: Opened) -> Iterator[str]:
    """Lines end as they must and are not too long."""
    if re.search(rb"\r(?!\n)|(?<!\r)\n", mail.raw):
        yield "a bare CR or LF (RFC 5321 §2.3.8)"
    if b"\0" in mail.raw:
        yield "a NUL character"
    longest = max(map(len, mail.raw.split(b"\r\n")))
    if longest > LONGEST_LINE:
        yield f"a line of {longest} octets, {LONGEST_LINE} are allowed (RFC 5322 §2.1.1)"


def plain_header(mail: Opened) -> Iterator[str]:
    """All is seven bits wide but for an address that cannot be."""
    # Only the recipient's own address may be outside ASCII, and then the relay has to speak SMTPUTF8.
    if any(byte > 127 for byte in re.sub(rb"(?m)^To: [^\r\n]*", b"", mail.raw)):
        yield "an octet above 127: the parts have to be quoted-printable (RFC 6531 §3)"


def encoding(mail: Opened) -> Iterator[str]:
    """The parts are quoted-printable, and sound."""
    for part in mail.parts:
        kind = part.get_content_type()
        if part["Content-Transfer-Encoding"] != "quoted-printable":
            yield f"{kind} is not quoted-printable"
        if any(len(line) > ENCODED_LINE for line in str(part.get_payload()).splitlines()):
            yield f"{kind} has an encoded line above {ENCODED_LINE} characters (RFC 2045 §6.7)"
        if part.defects:
            yield f"{kind} is damaged: {part.defects[0]}"


def parts(mail: Opened) -> Iterator[str]:
    """There is a text and, after it, the same in HTML."""
    if mail.message.get_content_type() != "multipart/alternative":
        yield f"the mail is {mail.message.get_content_type()}, not multipart/alternative"
    if [part.get_content_type() for part in mail.parts] != ["text/plain", "text/html"]:
        yield "the parts are not text first and HTML last (RFC 2046 §5.1.4)"
    for part in mail.parts:
        if part.get_content_charset() != "utf-8":
            yield f"{part.get_content_type()} does not say charset=utf-8"
    boundary = mail.message.get_boundary() or ""
    if boundary and mail.raw.count(b"--" + boundary.encode()) != len(mail.parts) + 1:
        yield "the boundary occurs in a part (RFC 2046 §5.1.1)"


def same_in_text(mail: Opened) -> Iterator[str]:
    """The text part says all that the HTML says, in lines that are not too wide."""
    yield from _lines(mail.text)
    for address in sorted(_linked(mail) - set(_ADDRESS.findall(mail.text))):
        yield f"the text part lacks an address of the HTML: {address[:80]}"
    # Words of scripts without spaces may be parted between two lines.
    wanted, said = _words(mail.page.words), re.sub(r"[\s>]+", "", mail.text.lower())
    share = sum(word in said for word in wanted) / len(wanted) if wanted else 1
    if share < (SAME_WORDS_IN_A_LIST_MAIL if mail.is_list_mail else SAME_WORDS):
        yield f"the text part has {share:.0%} of the words of the HTML"
    for picture in mail.page.named("img"):
        if not all(word in said for word in _words(picture.given.get("alt", ""))):
            yield f"the text part does not say what a picture shows: {picture.given['alt'][:60]}"


def _lines(text: str) -> Iterator[str]:
    if not text.strip():
        yield "the text part is empty"
    if len(text.encode()) > LARGEST_TEXT:
        yield f"the text part has more than {LARGEST_TEXT} octets"
    for number, line in enumerate(text.split("\n"), 1):
        if width(line) > TEXT_LINE and _could_break(line):
            yield f"text line {number} has {width(line)} columns, {TEXT_LINE} are wanted"
        # RFC 3676, 4.2: such blanks mean that the line goes on. A no-break space is a sign like any other.
        if line != line.rstrip(" \t") and line != "-- ":
            yield f"text line {number} ends with a blank"


def _could_break(line: str) -> bool:
    """Say whether a line is more than one word that has no place to break; code keeps its lines."""
    said = re.sub(r"^ *([-*>] +|\d+\. +)*", "", line)
    return "://" not in line and not line.startswith("    ") and len(wrapped(said).split("\n")) > 1


def _linked(mail: Opened) -> set[str]:
    links = (link.given.get("href", "") for link in mail.page.named("a"))
    return {address for address in links if address.startswith("http")}


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{2,}", text.lower()))
