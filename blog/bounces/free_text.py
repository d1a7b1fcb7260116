"""Bounces of servers that know no RFC 3464: told by flufl.bounce's patterns, weighed by their words.

Only a mail that says it comes from a mail system is looked at: an absence notice is no bounce.
"""

import logging
import re
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr

from blog.bounces.codes import code_in, kind_of
from blog.bounces.reports import Kind

_SYSTEMS = re.compile(
    r"(mail(er)?[-_. ]?daemon|mdaemon|postmaster|mail[-_.]?(system|delivery)[\w.-]*)$", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"undeliver|deliver|return|fail|bounce|nicht zustell|unzustellbar|non remis|no entregado", re.IGNORECASE
)
#: Each line is held against some forty patterns: the letter stands at the beginning, so no more is read.
LONGEST = 20_000
_SILENT = logging.getLogger("flufl.bounce")
_SILENT.disabled = True  # It logs what it looks at, which names people.


def failure(raw: bytes, message: Message, parts: list[Message]) -> tuple[Kind, str, str] | None:
    """Return what a bounce in plain words says; None if it is none, or only a warning of a delay."""
    if not _is_from_a_system(message) or any(
        p.get_content_type() == "message/delivery-status" for p in parts
    ):
        return None
    from flufl.bounce import all_failures  # forty modules that no web process needs before a letter comes

    for_now, for_good = all_failures(message_from_bytes(raw[:LONGEST]))
    if for_now and not for_good:
        return None
    words = _words(parts)
    code = code_in(words)
    if not for_good and not code.startswith("5"):
        return None
    # The line that says why, not the whole letter with the mail that it brings back.
    line = _telling_line(words)
    return kind_of(code, line), code, line


def _is_from_a_system(message: Message) -> bool:
    if message["X-Failed-Recipients"]:
        return True
    local = parseaddr(str(message.get("From", "")))[1].partition("@")[0]
    null_sender = str(message.get("Return-Path", "")).strip() == "<>"
    about_delivery = bool(_SUBJECT.search(str(message.get("Subject", ""))))
    return bool(_SYSTEMS.fullmatch(local)) or (null_sender and about_delivery)


def _words(parts: list[Message]) -> str:
    """Return the text of the letter itself, up to where the returned mail begins."""
    for part in parts:
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
            return re.split(
                r"(?mi)^-{2,}.*(original|copy of|returned).*$|^(received|return-path):", text[:LONGEST]
            )[0]
    return ""


def _telling_line(words: str) -> str:
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", words)]
    telling = [paragraph for paragraph in paragraphs if code_in(paragraph)]
    telling += [paragraph for paragraph in paragraphs if kind_of("", paragraph) is not Kind.UNSURE]
    return telling[0][:400] if telling else ""
