"""The mailbox that bounces come back to, fetched by IMAP or POP3; TLS is verified, and nothing falls back.

A message is deleted only after what it led to has been committed: a crash in between has it read once more,
which changes nothing. By IMAP what is no bounce stays, marked as seen; POP3 knows no marks and deletes it.
"""

import imaplib
import poplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from blog.bounces import intake
from blog.bounces.reading import LARGEST
from blog.bounces.reports import Door, Tally
from blog.bounces.settling import Fate
from blog.db import Database
from blog.delivery.handover import without_addresses
from blog.errors import BlogError
from blog.mail_settings import LOOPBACK
from blog.settings import Settings
from blog.tokens import Tokens

AT_ONCE = 200
TIMEOUT = 30.0
#: POP3 counts lines instead of octets: at 80 octets a line, about what is read of a message.
MOST_LINES = LARGEST // 80
_TROUBLE = (OSError, imaplib.IMAP4.error, poplib.error_proto, UnicodeError, EOFError)


@dataclass(frozen=True)
class Office:
    """Where reports are settled, and as of when."""

    database: Database
    tokens: Tokens
    now: datetime

    def take(self, raw: bytes, tally: Tally) -> Fate | None:
        """Take one message in, in a transaction of its own."""
        return intake.take_mail(self.database, self.tokens, raw, Door.MAILBOX, self.now, tally)


def poll(settings: Settings, office: Office) -> Tally:
    """Fetch up to two hundred messages; raise `BlogError` if the mailbox cannot be worked with."""
    place, tally = urlsplit(settings.bounce_mailbox), Tally()
    password = settings.bounce_mailbox_password.get_secret_value()
    try:
        if place.scheme.startswith("imap"):
            with _imap(place, password) as box:
                _fetch(box, unquote(place.path.strip("/")) or "INBOX", office, tally)
        else:
            _collect(place, password, office, tally)
    except _TROUBLE as error:
        why = without_addresses(_words(error)) or type(error).__name__
        raise BlogError(f"BLOG_BOUNCE_MAILBOX: {place.hostname} cannot be worked with: {why[:200]}") from None
    return tally


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)


@contextmanager
def _imap(place: SplitResult, password: str) -> Iterator[imaplib.IMAP4]:
    host, context = place.hostname or "", ssl.create_default_context()
    box: imaplib.IMAP4
    if place.scheme == "imaps":
        box = imaplib.IMAP4_SSL(host, place.port or 993, ssl_context=context, timeout=TIMEOUT)
    else:
        box = imaplib.IMAP4(host, place.port or 143, timeout=TIMEOUT)
    try:
        if place.scheme == "imap" and host not in LOOPBACK:
            box.starttls(context)
        box.login(unquote(place.username or ""), password)
        yield box
    finally:
        with suppress(*_TROUBLE):
            box.logout()


def _fetch(box: imaplib.IMAP4, folder: str, office: Office, tally: Tally) -> None:
    _expect(box.select(f'"{folder}"'))
    found = _expect(box.uid("SEARCH", "UNSEEN", "UNDELETED"))
    for uid in (found[0] or b"").split()[:AT_ONCE]:
        number = uid.decode()
        # Without PEEK the server would mark it as seen before we are done.
        parts = _expect(box.uid("FETCH", number, f"(BODY.PEEK[]<0.{LARGEST}>)"))
        raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
        if raw is None:
            continue  # Another worker was faster.
        fate = office.take(raw, tally)
        if fate in (Fate.APPLIED, Fate.REPEATED):
            _expect(box.uid("STORE", number, "+FLAGS", r"(\Deleted)"))
        elif fate is not Fate.LATER:
            _expect(box.uid("STORE", number, "+FLAGS", r"(\Seen)"))
    _expect(box.expunge())


def _expect(answer: tuple[str, list[Any]]) -> list[Any]:
    if answer[0] != "OK":
        raise OSError((answer[1][0] or b"").decode("utf-8", "replace") if answer[1] else "refused")
    return answer[1]


@contextmanager
def _pop3(place: SplitResult, password: str) -> Iterator[poplib.POP3]:
    host, context = place.hostname or "", ssl.create_default_context()
    box: poplib.POP3
    if place.scheme == "pop3s":
        box = poplib.POP3_SSL(host, place.port or 995, context=context, timeout=TIMEOUT)
    else:
        box = poplib.POP3(host, place.port or 110, timeout=TIMEOUT)
    try:
        if place.scheme == "pop3" and host not in LOOPBACK:
            box.stls(context)
        box.user(unquote(place.username or ""))
        box.pass_(password)
        yield box
    finally:
        box.close()


def _collect(place: SplitResult, password: str, office: Office, tally: Tally) -> None:
    """Read, and then delete; a message that the library cannot read is deleted by a second conversation."""
    done: list[bytes] = []
    with _pop3(place, password) as box:
        for number, uid in list(_uids(box).items())[:AT_ONCE]:
            try:
                raw = b"\r\n".join(box.top(number, MOST_LINES)[1])
            except poplib.error_proto:
                # A line that is longer than any may be; it must not keep the others from being read.
                done.append(uid)
                tally.messages += 1
                tally.no_report += 1
                break
            if office.take(raw, tally) is not Fate.LATER:
                done.append(uid)
        else:
            _delete(box, done)
            return
    with _pop3(place, password) as box:
        _delete(box, done)


def _delete(box: poplib.POP3, done: list[bytes]) -> None:
    for number, uid in _uids(box).items():
        if uid in done:
            box.dele(number)
    box.quit()


def _uids(box: poplib.POP3) -> dict[int, bytes]:
    pairs = (line.split(b" ", 1) for line in box.uidl()[1])
    return {int(number): uid for number, uid in pairs}
