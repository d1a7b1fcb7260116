"""What Amazon SES posts through SNS: signed by a certificate of Amazon's, from a topic you have named."""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from blog.bounces.calls import Call, Refused, TooEarly, decoded, fields, named, said, word
from blog.bounces.certificates import AMAZON, Fetch, certificate, is_certified
from blog.bounces.codes import kind_of
from blog.bounces.reports import Kind, Report
from blog.settings import Settings

#: SNS tries again for an hour; what comes twice changes nothing.
WINDOW = timedelta(hours=2)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_TRANSIENT = {
    "MailboxFull": Kind.FULL,
    **dict.fromkeys(("MessageTooLarge", "ContentRejected", "AttachmentRejected"), Kind.OURS),
}


def ses(settings: Settings, call: Call, get: Fetch) -> list[Report]:
    """Read a notification; confirm the subscription of a topic that is named in the settings."""
    envelope = fields(call.json())
    names = _SIGNED.get(word(envelope, "Type"))
    if names is None or envelope.get("TopicArn") not in settings.ses_topics:
        raise Refused("not a topic of ours")
    _verify(envelope, names, settings, call, get)
    if envelope["Type"] == "SubscriptionConfirmation":
        address = envelope.get("SubscribeURL")
        if not isinstance(address, str) or not AMAZON.fullmatch(address):
            raise Refused("not an address of Amazon's")
        _got(get, address)
        return []
    return list(_reports(fields(decoded(envelope["Message"]))))


def _verify(
    envelope: dict[str, Any], names: tuple[str, ...], settings: Settings, call: Call, get: Fetch
) -> None:
    if envelope.get("SignatureVersion") != "2" or not _is_recent(word(envelope, "Timestamp"), call.now):
        raise Refused("signature version 1, or too old")
    values = [(name, envelope[name]) for name in names if envelope.get(name) is not None]
    if not all(isinstance(value, str) for _, value in values) or not isinstance(envelope.get("Message"), str):
        raise Refused("not a message of SNS")
    signed = "".join(f"{name}\n{value}\n" for name, value in values).encode()
    address = word(envelope, "SigningCertURL")
    pem = _got(lambda where: certificate(where, settings.var_dir / "sns", get), address)
    if pem is None or not is_certified(pem, signed, word(envelope, "Signature"), call.now):
        raise Refused("no signature")


def _got(get: Any, address: str) -> bytes | None:
    try:
        found: bytes | None = get(address)
    except (OSError, http.client.HTTPException):
        raise TooEarly("Amazon could not be asked") from None
    return found


def _is_recent(timestamp: str, now: datetime) -> bool:
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return False
    return abs(now - (at if at.tzinfo else at.replace(tzinfo=UTC))) <= WINDOW


def _reports(event: dict[str, Any]) -> Iterator[Report]:
    mail = fields(event.get("mail"))
    kind = word(event, "notificationType") or word(event, "eventType")
    if kind == "Complaint":
        complaint = fields(event.get("complaint"))
        if word(complaint, "complaintFeedbackType") == "not-spam":
            return
        for person in _people(complaint, "complainedRecipients"):
            yield Report(Kind.COMPLAINT, named(mail, word(person, "emailAddress")), "", "complained")
    elif kind == "Bounce":
        bounce = fields(event.get("bounce"))
        for person in _people(bounce, "bouncedRecipients"):
            status, words = word(person, "status"), word(person, "diagnosticCode").removeprefix("smtp; ")
            found = _kind(word(bounce, "bounceType"), word(bounce, "bounceSubType"), status, words)
            yield Report(found, named(mail, word(person, "emailAddress")), status[:16], said(words))


def _kind(bounce: str, sort: str, status: str, words: str) -> Kind:
    if bounce == "Transient":
        return _TRANSIENT.get(sort, Kind.SOFT)
    if bounce == "Permanent":
        # Without a code, Amazon itself has found that there is no such mailbox.
        return kind_of(status, words) if status or words else Kind.HARD
    return Kind.UNSURE


def _people(about: dict[str, Any], key: str) -> list[Any]:
    found = about.get(key)
    return found[:50] if isinstance(found, list) else []
