"""What Postmark, Mailgun, SendGrid and programs of yours post: proven by each one's scheme, then read."""

import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from blog.bounces import reading
from blog.bounces.calls import Call, Refused, decoded, fields, is_signed, named, said, word
from blog.bounces.codes import code_in, kind_of
from blog.bounces.reports import Kind, Report
from blog.settings import Settings

WINDOW = timedelta(minutes=5)
#: Providers try again for hours; what comes twice finds itself in the table and changes nothing.
RETRIES = timedelta(hours=24)
MOST_EVENTS = 2000

_POSTMARK = {
    **dict.fromkeys(("HardBounce", "BadEmailAddress"), Kind.HARD),
    **dict.fromkeys(("SoftBounce", "DnsError"), Kind.SOFT),
    **dict.fromkeys(("Blocked", "SpamNotification", "DMARCPolicy", "VirusNotification"), Kind.OURS),
    "Unknown": Kind.UNSURE,
    "SpamComplaint": Kind.COMPLAINT,
}
_DROPPED = {
    "bounced address": Kind.HARD,
    "invalid": Kind.HARD,
    "spam reporting address": Kind.COMPLAINT,
}


def postmark(settings: Settings, call: Call) -> list[Report]:
    """Read a bounce or a complaint from Postmark, which shows a name and a password of yours."""
    login = settings.postmark_login.get_secret_value()
    kind, _, given = call.headers.get("Authorization", "").partition(" ")
    try:
        shown = b64decode(given, validate=True) if kind.lower() == "basic" else b""
    except (Base64Error, ValueError):
        shown = b""
    if not hmac.compare_digest(shown, login.encode()):
        raise Refused("no login")
    event = fields(call.json())
    found = _POSTMARK.get(word(event, "Type"))
    if found is None:
        return []
    words = word(event, "Details") or word(event, "Description")
    return [Report(found, named(event, word(event, "Email")), code_in(words), said(words))]


def mailgun(settings: Settings, call: Call) -> list[Report]:
    """Read an event from Mailgun; its signature covers a token alone, see `mailgun_token`."""
    document = fields(call.json())
    proof = fields(document.get("signature"))
    timestamp, token = word(proof, "timestamp"), word(proof, "token")
    keys = [settings.mailgun_signing_key.get_secret_value()]
    if not is_signed(keys, f"{timestamp}{token}".encode(), word(proof, "signature")):
        raise Refused("no signature")
    if not call.is_recent(timestamp, RETRIES):
        raise Refused("too old")
    event = fields(document.get("event-data"))
    kind, code, words = _mailgun_event(event)
    if kind is None:
        return []
    headers = fields(fields(event.get("message")).get("headers"))
    naming = named(event, word(event, "recipient"), word(headers, "message-id"))
    return [Report(kind, naming, code, said(words))]


def mailgun_token(call: Call) -> tuple[str, str]:
    """Return the token and the time of a Mailgun call; each token is good once."""
    proof = fields(fields(call.json()).get("signature"))
    return word(proof, "token"), word(proof, "timestamp")


def _mailgun_event(event: dict[str, Any]) -> tuple[Kind | None, str, str]:
    if event.get("event") == "complained":
        return Kind.COMPLAINT, "", "complained"
    if event.get("event") != "failed" or event.get("severity") != "permanent":
        return None, "", ""
    status = fields(event.get("delivery-status"))
    words = word(status, "message") or word(status, "description")
    code = word(status, "enhanced-code") or code_in(f"{word(status, 'code')} {words}")
    reason = word(event, "reason")
    if reason == "suppress-bounce":
        return Kind.HARD, code, words
    if reason.startswith("suppress"):
        return None, "", ""
    return (Kind.SOFT if reason == "old" else kind_of(code, words)), code, words


def sendgrid(settings: Settings, call: Call) -> list[Report]:
    """Read a batch of events from SendGrid, signed by ECDSA over the time and the body."""
    from blog.bounces.certificates import is_ecdsa_signed

    timestamp = call.headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
    signature = call.headers.get("X-Twilio-Email-Event-Webhook-Signature", "")
    if not is_ecdsa_signed(settings.sendgrid_public_key, timestamp.encode() + call.body, signature):
        raise Refused("no signature")
    if not call.is_recent(timestamp, RETRIES):
        raise Refused("too old")
    events = call.json()
    return [report for event in _some(events) for report in _sendgrid_event(fields(event))]


def _sendgrid_event(event: dict[str, Any]) -> Iterator[Report]:
    words, status = word(event, "reason"), word(event, "status")
    kind: Kind | None = None
    if event.get("event") == "spamreport":
        kind = Kind.COMPLAINT
    elif event.get("event") == "dropped":
        kind = _DROPPED.get(words.lower())
    elif event.get("event") == "bounce":
        kind = kind_of(status, words)
        # "Blocked" is a refusal for now: about us, or about a full mailbox, but not about the address.
        if word(event, "type") == "blocked" and kind in (Kind.HARD, Kind.UNSURE):
            kind = Kind.SOFT
    if kind is not None:
        code = status if re.fullmatch(r"\d\.\d+\.\d+", status) else code_in(words)
        yield Report(kind, named(event, word(event, "email"), word(event, "smtp-id")), code, said(words))


def signed(settings: Settings, call: Call) -> list[Report]:
    """Read what another program of yours posts: returned mail as it came, or reports in JSON."""
    found = re.fullmatch(r"t=(\d{1,12}),v1=([0-9a-f]{64})", call.headers.get("X-Blog-Signature", ""))
    keys = [key.get_secret_value() for key in settings.bounce_secrets]
    if not found or not is_signed(keys, found[1].encode() + b"." + call.body, found[2]):
        raise Refused("no signature")
    if not call.is_recent(found[1], WINDOW):
        raise Refused("too old")
    if call.headers.get("Content-Type", "").partition(";")[0].strip() == "message/rfc822":
        report = reading.read(call.body)
        return [report] if report else []
    return [
        each for event in _some(fields(decoded(call.body)).get("reports")) for each in _own(fields(event))
    ]


def _own(event: dict[str, Any]) -> Iterator[Report]:
    kind, code, words = word(event, "kind"), word(event, "status"), word(event, "words")
    naming = named(event, word(event, "address"), word(event, "message_id"))
    if kind == "complaint":
        yield Report(Kind.COMPLAINT, naming, "", said(words))
    elif kind == "bounce":
        yield Report(kind_of(code, words), naming, code[:16], said(words))


def _some(events: Any) -> list[Any]:
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise Refused("no list of events")
    return events
