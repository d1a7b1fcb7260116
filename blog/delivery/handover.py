"""One mail handed to a relay over an open connection, and exactly what became of it."""

import re
import smtplib

from blog.delivery import meanings
from blog.delivery.email import Email
from blog.delivery.headers import mailbox
from blog.delivery.meanings import Meaning, Part
from blog.delivery.smtp import FINAL_DOT_SECONDS

_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")


class MailError(Exception):
    """The mail was not sent, or nobody knows whether it was."""


class MailUnreachable(MailError):
    """The relay cannot be reached or does not work with us; the mail was not handed over."""


class MailUncertain(MailError):
    """The connection was lost after the last octet: the relay may have the mail (RFC 1047)."""


class MailRefused(MailError):
    """The relay refused this mail, for good (`permanent`) or for now, or because of us; no address in it."""

    def __init__(self, permanent: bool, reply: str, our_fault: bool = False) -> None:
        super().__init__(reply)
        self.permanent = permanent
        self.our_fault = our_fault
        self.reply = reply


def hand_over(host: smtplib.SMTP, email: Email, raw: bytes) -> None:
    """Hand over one mail to one recipient (RFC 5321 §3.3), up to the relay's answer to the final dot."""
    try:
        _ask(host, email, len(raw))
        host.send(_stuffed(raw))
    except OSError as error:
        # Not all octets have left, so no relay can hold a complete mail.
        raise MailUnreachable(said(error)) from error
    code, text = _answer(host)
    if code // 100 != 2:
        raise _refusal(Part.CONTENT, code, text)


def _refusal(part: Part, code: int, text: bytes) -> MailRefused:
    words = text.decode("utf-8", "replace")
    ours = meanings.of(part, code, words) is Meaning.OURS
    return MailRefused(code // 100 == 5, _reply(code, text), ours)


def _answer(host: smtplib.SMTP) -> tuple[int, bytes]:
    try:
        if host.sock is not None:
            host.sock.settimeout(FINAL_DOT_SECONDS)
        code, text = host.getreply()
    except OSError as error:
        raise MailUncertain(said(error)) from error
    if not 200 <= code < 600:
        raise MailUncertain("the relay answered something that is no SMTP reply")
    return code, text


def _ask(host: smtplib.SMTP, email: Email, size: int) -> None:
    """Go through the envelope, up to the relay's request for the content.

    The commands are written here: smtplib's own ones read an address anew (CVE-2023-27043).
    """
    host.ehlo_or_helo_if_needed()
    options = _options(host, email, size)
    code, text = host.docmd("MAIL", f"FROM:<{email.return_path or mailbox(email.sender).address}>{options}")
    if code // 100 != 2:
        # Our standing with the relay, not this mail: later may be better (530, 421, 5.7.x …).
        raise MailUnreachable(_reply(code, text))
    for command, argument, good in (("RCPT", f"TO:<{email.to}>", 2), ("DATA", "", 3)):
        code, text = host.docmd(command, argument)
        if code == 421 or not 200 <= code < 600:
            raise MailUnreachable(_reply(code, text))
        if code // 100 != good:
            raise _refusal(Part.RECIPIENT if command == "RCPT" else Part.CONTENT, code, text)


def _options(host: smtplib.SMTP, email: Email, size: int) -> str:
    options = ""
    if host.has_extn("size"):
        most = host.esmtp_features.get("size", "")
        if most.isdigit() and 0 < int(most) < size:
            raise MailRefused(True, f"552 5.3.4 the relay takes at most {most} octets")
        options += f" SIZE={size}"
    if not email.to.isascii():
        if not host.has_extn("smtputf8"):
            raise MailRefused(True, "553 5.6.7 the relay does not take international addresses")
        host.command_encoding = "utf-8"
        options += " SMTPUTF8"
    return options


def _stuffed(raw: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", raw) + b".\r\n"


def _reply(code: int, text: bytes) -> str:
    return without_addresses(f"{code} {text.decode('utf-8', 'replace')}")


def said(error: Exception) -> str:
    """Return what went wrong in one line that may be kept and logged."""
    return without_addresses(str(error)) or type(error).__name__


def without_addresses(text: str) -> str:
    """Return a relay's words on one line and without addresses: the words are kept."""
    return _ADDRESS.sub("<address>", " ".join(text.split()))[:500]
