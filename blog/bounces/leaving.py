"""A mail to the address in List-Unsubscribe ends a subscription, as its link does (RFC 2369 §3.2).

The token of that link stands in the address, so nobody can make one up for somebody else. Only where the mail
went to counts: an answer or a bounce brings the same address back in its text.
"""

import re
from datetime import datetime
from email import message_from_bytes, policy

from sqlalchemy.orm import Session

from blog.subscribers import unsubscribe
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.tokens import BadToken, Tokens

_TOKEN = re.compile(r"\+([A-Za-z0-9_-]{44})@")
_ADDRESSED = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
#: What is read of a message: its head.
LARGEST = 64 * 1024


def tokens_in(raw: bytes) -> list[str]:
    """Return what may be tokens in the addresses that a message went to; none of an automatic answer."""
    try:
        message = message_from_bytes(raw[:LARGEST], policy=policy.compat32)
        automatic = str(message.get("Auto-Submitted", "no")).strip().lower() != "no"
        if automatic or str(message.get("Return-Path", "")).strip() == "<>":
            return []
        addressed = [str(value) for name in _ADDRESSED for value in message.get_all(name, [])]
    except Exception:  # noqa: BLE001 - the parser of others, on bytes of strangers
        return []
    return list(dict.fromkeys(_TOKEN.findall("\n".join(addressed))))[:5]


def leave(session: Session, tokens: Tokens, found: list[str], now: datetime) -> bool:
    """End the subscription that one of these is for; return whether one was genuine."""
    for token in found:
        try:
            unsubscribe.unsubscribe(session, tokens, token, Act(Method.MAIL, Origin(""), now), domain="")
        except BadToken:
            continue
        return True
    return False
