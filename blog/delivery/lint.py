"""What is wrong with a finished mail, by the rules that relays, mail programs and readers go by.

Looks at the bytes, not at what made them: every mail that a test captures goes through here, and the
development inbox shows the answer beside each mail.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from typing import cast

from blog.columns import width, wrapped
from blog.delivery.lint_html import lint_html

LONGEST_LINE, ENCODED_LINE, TEXT_LINE = 998, 76, 72
LARGEST_TEXT = 20_000
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
#: Fields that software reads: an encoded word there hides what it looks for (RFC 2047 §5).
STRUCTURED = re.compile(r"List-(?!Id$)|Message-ID$|References$|In-Reply-To$|Feedback-ID$|Archived-At$|Date$")
_ENCODED_WORD = re.compile(r"=\?[^?]+\?[bBqQ]\?([^?]*)\?=")
_ONE_CLICK = re.compile(r"<https?://[^<>\s]+>(,(\r\n)? <mailto:[^<>\s]+>)?")
_FEEDBACK_ID = re.compile(r"([^:\s]*:){1,3}[A-Za-z0-9._-]{5,15}")


def lint(raw: bytes) -> list[str]:
    """Return every problem of a mail's bytes, each in one line; an empty list is the aim."""
    head, _, _ = raw.partition(b"\r\n\r\n")
    fields = _fields(head)
    return [*_octets(raw), *_head(fields), *_automation(fields), *_bodies(raw)]


def _octets(raw: bytes) -> Iterator[str]:
    if re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        yield "a bare CR or LF (RFC 5321 §2.3.8)"
    if b"\0" in raw:
        yield "a NUL character"
    # Only the recipient's own address may be outside ASCII, and then the relay has to speak SMTPUTF8.
    if any(byte > 127 for byte in re.sub(rb"(?m)^To: [^\r\n]*", b"", raw)):
        yield "an octet above 127: the parts have to be quoted-printable"
    longest = max(map(len, raw.split(b"\r\n")))
    if longest > LONGEST_LINE:
        yield f"a line of {longest} octets, {LONGEST_LINE} are allowed (RFC 5322 §2.1.1)"


def _fields(head: bytes) -> list[tuple[str, str]]:
    """Return names and values as they stand in the bytes, folds included."""
    lines = re.split(r"\r\n(?![ \t])", head.decode("utf-8", "replace"))
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _head(fields: list[tuple[str, str]]) -> Iterator[str]:
    names = [name.lower() for name, _ in fields]
    for name in ONCE:
        if names.count(name.lower()) != 1:
            yield f"{name} occurs {names.count(name.lower())} times, not once (RFC 5322 §3.6)"
    for name in sorted({name for name in names if names.count(name) > 1} - {n.lower() for n in ONCE}):
        yield f"{name} occurs more than once"
    for name, value in fields:
        yield from _field(name, value)


def _field(name: str, value: str) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        yield f"a header line that is no field: {name[:40]!r}"
    if not value.strip():
        yield f"{name} is empty"
    words = list(_ENCODED_WORD.finditer(value))
    if words and STRUCTURED.match(name):
        yield f"{name} holds an encoded word, so nobody can read it (RFC 2047 §5)"
    if any(len(found[0]) > 75 or not found[1] for found in words):
        yield f"{name} holds an encoded word that is empty or longer than 75 (RFC 2047 §2)"
    if name == "Message-ID" and not re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", value):
        yield "Message-ID is not of the form <left@right>"
    if name == "Date" and not _is_past(value):
        yield "Date is not a time with a numeric zone, or lies in the future"


def _is_past(value: str) -> bool:
    if not re.search(r"[+-]\d{4}$", value):
        return False
    try:
        date = datetime.strptime(value, "%a, %d %b %Y %H:%M:%S %z")
    except ValueError:
        return False
    return date <= datetime.now(UTC) + timedelta(minutes=1)


def _automation(fields: list[tuple[str, str]]) -> Iterator[str]:
    values = {name.lower(): value for name, value in fields}
    unsubscribe, post = values.get("list-unsubscribe"), values.get("list-unsubscribe-post")
    if unsubscribe is not None and not _ONE_CLICK.fullmatch(unsubscribe):
        yield "List-Unsubscribe is not <https://…> with an optional <mailto:…> after it (RFC 8058 §3.1)"
    if unsubscribe is not None and post != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post is not List-Unsubscribe=One-Click (RFC 8058 §3.1)"
    if post is not None and unsubscribe is None:
        yield "List-Unsubscribe-Post without List-Unsubscribe"
    if unsubscribe is None and values.get("auto-submitted") != "auto-generated":
        yield "a single mail needs Auto-Submitted: auto-generated (RFC 3834 §5)"
    if unsubscribe is not None and "list-id" not in values:
        yield "a list mail needs a List-Id (RFC 2919)"
    feedback = values.get("feedback-id")
    if feedback is not None and not _FEEDBACK_ID.fullmatch(feedback):
        yield "Feedback-ID is not up to three fields and a sender of 5 to 15 characters, joined by colons"


def _bodies(raw: bytes) -> Iterator[str]:
    message = message_from_bytes(raw, policy=policy.default)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    if message.get_content_type() != "multipart/alternative":
        yield f"the mail is {message.get_content_type()}, not multipart/alternative"
    if [part.get_content_type() for part in parts] != ["text/plain", "text/html"]:
        yield "the parts are not text first and HTML last (RFC 2046 §5.1.4)"
        return
    for part in parts:
        yield from _part(cast(EmailMessage, part))
    yield from _text(_content(parts[0]))
    yield from lint_html(_content(parts[1]))


def _part(part: EmailMessage) -> Iterator[str]:
    kind = part.get_content_type()
    if part["Content-Transfer-Encoding"] != "quoted-printable":
        yield f"{kind} is not quoted-printable"
    if part.get_content_charset() != "utf-8":
        yield f"{kind} does not say charset=utf-8"
    if any(len(line) > ENCODED_LINE for line in str(part.get_payload()).splitlines()):
        yield f"{kind} has an encoded line above {ENCODED_LINE} characters (RFC 2045 §6.7)"
    if part.defects:
        yield f"{kind} is damaged: {part.defects[0]}"


def _content(part: object) -> str:
    try:
        return str(cast(EmailMessage, part).get_content()).replace("\r\n", "\n")
    except (MessageError, LookupError):
        return ""


def _text(text: str) -> Iterator[str]:
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
