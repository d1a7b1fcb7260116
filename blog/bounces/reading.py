"""Returned mail as bytes, read into reports: RFC 3464, RFC 5965, and free text where a server knows neither.

Whoever knows a bounce address can send anything to it, so nothing here raises, and nothing is believed yet.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message

from blog.bounces import free_text
from blog.bounces.codes import kind_of
from blog.bounces.reports import Kind, Naming, Report
from blog.delivery.handover import without_addresses
from blog.delivery.verp import tags

#: A longer message is read no further: the report stands at its beginning, the returned mail behind it.
LARGEST = 100 * 1024
MOST_PARTS = 50
LONGEST_WORDS = 400
#: What readers complain of; "not-spam" and authentication reports are none (RFC 5965 §7.3, RFC 6591).
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
FAILED = "failed"
DELIVERED = frozenset({"delivered", "relayed", "expanded"})

_LINK = re.compile(r"/unsubscribe/([A-Za-z0-9_-]{44})(?![A-Za-z0-9_-])")
#: "ada@example.org: 550 5.1.1 no such user"
_QUOTED = re.compile(r"(?m)^[^\s@:]{1,64}@[^\s@:]{1,255}: ([45]\d\d[ -][^\r\n]{1,400})")
_MESSAGE_ID = re.compile(r"(?im)^message-id:\s*(<[^<>\s@]{1,180}@[^<>\s@]{1,180}>)")


def read(raw: bytes) -> Report | None:
    """Return the report that a message is; None if it is anything else, such as somebody's answer."""
    raw = raw[:LARGEST]
    try:
        message: Message = message_from_bytes(raw, policy=policy.compat32)
        parts = _parts(message)
        found = _complaint(parts) or _failure(parts) or free_text.failure(raw, message, parts)
    except Exception:  # noqa: BLE001 - the parser and the patterns of others, on bytes of strangers
        return None
    if found is None:
        return None
    kind, code, words = found
    return Report(kind, naming(raw), code[:16], without_addresses(words)[:LONGEST_WORDS])


def naming(raw: bytes) -> Naming:
    """Return everything in a message that may name a mail of ours."""
    # A long line may have been broken inside a tag or a link (RFC 2045 §6.7).
    text = re.sub(rb"=\r?\n", b"", raw).decode("latin-1")
    return Naming(
        tags=tuple(tags(text)[:20]),
        links=tuple(dict.fromkeys(_LINK.findall(text)[:20])),
        message_ids=tuple(dict.fromkeys(_MESSAGE_ID.findall(text)[:20])),
    )


def _parts(message: Message) -> list[Message]:
    found: list[Message] = []
    for part in message.walk():
        found.append(part)
        if len(found) == MOST_PARTS:
            break
    return found


def _complaint(parts: list[Message]) -> tuple[Kind, str, str] | None:
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            kind = next(
                (str(block["Feedback-Type"]) for block in _blocks(part) if block["Feedback-Type"]), ""
            )
            if kind.strip().lower() in COMPLAINTS:
                return Kind.COMPLAINT, "", kind.strip().lower()
    return None


def _failure(parts: list[Message]) -> tuple[Kind, str, str] | None:
    """Return what a delivery status notification says, if it is about a failure for good."""
    for part in parts:
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = [(str(block.get("Action", "")).strip().lower(), block) for block in _blocks(part)]
        if any(action in DELIVERED for action, _ in blocks):
            return None  # One of several mailboxes behind an address: the person has had it.
        for action, block in blocks:
            if action.startswith(FAILED):
                # "5.1.1 (no such mailbox)": a comment may follow (RFC 3464 §2.3.4).
                status = str(block.get("Status", "")).partition("(")[0].strip()
                words = str(block.get("Diagnostic-Code", "")).partition(";")[2].strip()
                if not words and status.endswith(".0.0"):
                    words = _in_the_letter(parts)
                return kind_of(status, words), status, " ".join(words.split())
    return None


def _in_the_letter(parts: list[Message]) -> str:
    """Return the reply that the letter to a person quotes; OpenSMTPD's report says no more than 5.0.0."""
    for part in parts:
        if part.get_content_type() == "text/plain":
            text = part.get_payload(decode=True)
            found = _QUOTED.search(text.decode("latin-1")) if isinstance(text, bytes) else None
            return found[1] if found else ""
    return ""


def _blocks(part: Message) -> Iterator[Message]:
    """Return the groups of fields in a report part, however the parser took them."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))
        return
    text = part.get_payload(decode=True)
    if isinstance(text, bytes):
        for block in re.split(rb"\r?\n\r?\n", text):
            yield message_from_bytes(block + b"\n\n", policy=policy.compat32)
