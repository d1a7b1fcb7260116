"""Leaving: by the button on the page or by a mail program's one click (RFC 8058), at once and for good."""

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import directory, lifecycle
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Subscriber
from blog.tokens import Purpose, Tokens


def token_for(tokens: Tokens, public_id: str) -> str:
    """Return the token of an unsubscribe link; it works for years, and for nothing else."""
    return tokens.capability(Purpose.UNSUBSCRIBE, public_id)


def look(session: Session, tokens: Tokens, token: str) -> Subscriber | None:
    """Return who a link belongs to; None if that one is gone. Raises `BadToken` for a link not of ours."""
    return directory.by_public_id(session, tokens.read_capability(Purpose.UNSUBSCRIBE, token))


def unsubscribe(
    session: Session, tokens: Tokens, token: str, method: Method, origin: Origin, now: datetime
) -> Subscriber | None:
    """End the subscription that a link belongs to; doing so twice, or after erasure, is fine.

    Raises `BadToken` for a link not of ours. A new nonce makes open confirmation links worthless.
    """
    public_id = tokens.read_capability(Purpose.UNSUBSCRIBE, token)
    left = lifecycle.move(
        session,
        Subscriber.public_id == public_id,
        Event.WITHDRAWN,
        Act(method, origin, now),
        values={"left_at": now, "nonce": secrets.token_hex(16), "account_nonce": None},
    )
    if left is None:
        return directory.by_public_id(session, public_id)
    suppression.suppress(session, left.address_hash, Reason.UNSUBSCRIBED, now)
    return left
