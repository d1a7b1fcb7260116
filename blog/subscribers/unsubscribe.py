"""Leaving: by the button on the page or by a mail program's one click (RFC 8058), at once and for good.

Digests get forwarded, so the link in them can only end mail, or make it rarer. What takes that back is
another link, good once: on the page that answers the press, and in the receipt that goes to the mailbox.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import and_
from sqlalchemy.orm import Session

from blog.delivery import outbox, recipients, suppression
from blog.delivery.suppression import Reason
from blog.subscribers import choices, directory, lifecycle
from blog.subscribers.consent import Event, Method
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Cadence, Mail, Status, Subscriber
from blog.tokens import Purpose, Tokens

#: How long the receipt's link works, and how long the page that answers a press offers to take it back.
RESTORABLE = timedelta(days=30)
OFFERED = timedelta(minutes=10)


def token_for(tokens: Tokens, public_id: str) -> str:
    """Return the token of an unsubscribe link; it works for years, and for nothing else."""
    return tokens.capability(Purpose.UNSUBSCRIBE, public_id)


def look(session: Session, tokens: Tokens, token: str) -> Subscriber | None:
    """Return who a link belongs to; None if that one is gone. Raises `BadToken` for a link not of ours."""
    return directory.by_public_id(session, tokens.read_capability(Purpose.UNSUBSCRIBE, token))


def unsubscribe(session: Session, tokens: Tokens, token: str, act: Act, domain: str) -> Subscriber | None:
    """End the subscription that a link belongs to; doing so twice, or after erasure, is fine.

    After a press on the page a receipt goes out from `domain`. A new nonce makes open confirmation links
    worthless. Raises `BadToken` for a link not of ours.
    """
    public_id = tokens.read_capability(Purpose.UNSUBSCRIBE, token)
    left = lifecycle.move(
        session,
        Subscriber.public_id == public_id,
        Event.WITHDRAWN,
        act,
        values={"left_at": act.now, "nonce": secrets.token_hex(16), "account_nonce": None},
    )
    if left is None:
        return directory.by_public_id(session, public_id)
    # Whoever moved a moment ago may have mail in hand that is still addressed to the old mailbox.
    hashes = {left.address_hash} | recipients.hashes_in_hand(session, left.id)
    suppression.suppress_all(session, sorted(hashes), Reason.UNSUBSCRIBED, act.now)
    # One click is a header of the owner's own copy, which no forwarding keeps: they know, and want no mail.
    # Nor does whoever reported a mail as spam.
    if left.confirmed_at is not None and act.method not in (Method.ONE_CLICK, Method.MAIL):
        # Under one key a day: leaving and coming back in a circle fills nobody's mailbox.
        key = f"left:{left.public_id}:{act.now:%Y-%m-%d}"
        outbox.add(session, Mail.LEFT, left.id, key, domain, act.now)
    return left


def less_often(session: Session, tokens: Tokens, token: str, act: Act) -> Subscriber | None:
    """Make mail monthly instead of ending it; None if there is nobody (any more) to be mailed.

    Raises `BadToken` for a link not of ours.
    """
    return lifecycle.move(
        session,
        Subscriber.public_id == tokens.read_capability(Purpose.UNSUBSCRIBE, token),
        Event.CHANGED,
        act,
        values={"cadence": Cadence.MONTHLY},
        details=choices.of,
    )


def restore_token(tokens: Tokens, subscriber: Subscriber) -> str:
    """Return the token that takes this departure back, once; any later step makes it worthless."""
    return tokens.timed(Purpose.RESTORE, [subscriber.public_id, subscriber.nonce])


def offered_token(tokens: Tokens, subscriber: Subscriber, now: datetime) -> str:
    """Return the token for the page that answers a press; "" unless the departure is only minutes old.

    Otherwise whoever holds an old digest could press again and bring somebody back who left long ago.
    """
    left_at = subscriber.left_at
    if not _is_restorable(subscriber) or left_at is None or left_at <= now - OFFERED:
        return ""
    return restore_token(tokens, subscriber)


def restorable(session: Session, tokens: Tokens, token: str) -> Subscriber | None:
    """Return whom a link would bring back; None if it has done its work. Raises `BadToken`."""
    public_id, nonce = tokens.read_pair(Purpose.RESTORE, token, RESTORABLE)
    found = directory.by_public_id(session, public_id)
    if found is None or found.nonce != nonce or not _is_restorable(found):
        return None
    return None if suppression.reason_for(session, found.address_hash) in _FINAL else found


def restore(session: Session, tokens: Tokens, token: str, act: Act) -> Subscriber | None:
    """Take a departure back, once; None if there is nothing to take back. Raises `BadToken`."""
    if restorable(session, tokens, token) is None:
        return None
    public_id, nonce = tokens.read_pair(Purpose.RESTORE, token, RESTORABLE)
    back = lifecycle.move(
        session,
        and_(Subscriber.public_id == public_id, Subscriber.nonce == nonce),
        Event.RESTORED,
        act,
        values={"left_at": None, "nonce": secrets.token_hex(16)},
        details=choices.of,
    )
    if back is not None:
        suppression.lift(session, back.address_hash, [Reason.UNSUBSCRIBED])
    return back


_FINAL = frozenset(Reason) - {Reason.UNSUBSCRIBED}


def _is_restorable(subscriber: Subscriber) -> bool:
    # One who never confirmed has nothing to come back to.
    return subscriber.status == Status.UNSUBSCRIBED and subscriber.confirmed_at is not None
