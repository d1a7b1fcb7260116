"""An `Email` as bytes: 7-bit, quoted-printable, CRLF, the same bytes for the same mail."""

import hashlib
import re
from datetime import UTC, datetime
from email.utils import format_datetime

from blog.delivery.email import Email
from blog.delivery.headers import HOLE, check_characters, line
from blog.delivery.splice import quoted_printable

_DATE = re.compile(rb"^Date: [^\r\n]*\r\n", re.MULTILINE)
_OWN = frozenset({"From", "To", "Subject", "Date", "Message-ID"})


def serialise(email: Email, date: datetime, boundary: str = "", holes: bool = False) -> bytes:
    """Return the mail as it goes over the wire, before dots are stuffed; raise `ValueError` for trickery.

    The boundary is derived from the content unless one is given. With `holes`, `splice` holes may stand in
    the recipient's address, the Message-ID, the List-* fields and the bodies.
    """
    text, html = _body(email.text, holes), _body(email.html, holes)
    boundary = boundary or _boundary(email)
    return b"".join(
        [
            _head(email, date, holes),
            b"MIME-Version: 1.0\r\n",
            f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode(),
            _part(boundary, "plain", text),
            _part(boundary, "html", html),
            f"--{boundary}--\r\n".encode(),
        ]
    )


def dated(message: bytes, date: datetime) -> bytes:
    """Return finished bytes with another date in their header."""
    return _DATE.sub(_date(date), message, count=1)


def _date(date: datetime) -> bytes:
    return line("Date", format_datetime(date.astimezone(UTC)))


def _head(email: Email, date: datetime, holes: bool) -> bytes:
    twice = _OWN.intersection(email.headers)
    if twice:
        raise ValueError(f"{', '.join(sorted(twice))}: a mail has this header field already")
    return b"".join(
        [
            line("From", email.sender),
            line("To", email.to, holes),
            line("Subject", email.subject),
            _date(date),
            line("Message-ID", email.message_id, holes),
            *(line(name, value, holes) for name, value in email.headers.items()),
        ]
    )


def _part(boundary: str, subtype: str, encoded: bytes) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + encoded + b"\r\n"


def _body(body: str, holes: bool) -> bytes:
    # A lone CR would pass the encoder as it is and reach the wire.
    body = re.sub(r"\r\n?", "\n", body).rstrip("\n") + "\n"
    check_characters(HOLE.sub("x", body) if holes else body, also="\n\t\u2028\u2029")
    return quoted_printable(body)


def _boundary(email: Email) -> str:
    """Return a boundary that no encoded body contains: `=_` never occurs in quoted-printable."""
    content = "\0".join((email.subject, email.text, email.html))
    return "=_" + hashlib.sha256(content.encode()).hexdigest()[:24]
