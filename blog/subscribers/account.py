"""What only the mailbox's owner may do: take their data away, be erased, move to another address.

The links in digests are too old and too widely forwarded for that. One press there mails a fresh link to the
address on record; it works for an hour and for one of these things, once.
"""

import secrets
from datetime import timedelta

from sqlalchemy import and_, update
from sqlalchemy.orm import Session

from blog.delivery import outbox, suppression
from blog.delivery.suppression import SILENT
from blog.subscribers import directory, rationing
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Mail, Status, Subscriber
from blog.tokens import Purpose, Tokens

VALID = timedelta(hours=1)
KNOWN = (Status.ACTIVE, Status.UNSUBSCRIBED, Status.BOUNCED)


def request_link(session: Session, subscriber: Subscriber, act: Act, domain: str) -> bool:
    """Mail a fresh link to the address on record; False if that mailbox has had enough mail of us today."""
    key = rationing.free_key(session, subscriber.public_id, subscriber.status, act.now)
    if key is None:
        return False
    session.execute(
        update(Subscriber)
        .where(Subscriber.id == subscriber.id)
        .values(account_nonce=secrets.token_hex(16))
        .execution_options(synchronize_session=False)
    )
    return outbox.add(session, Mail.ACCOUNT, subscriber.id, key, domain, act.now)


def token_for(tokens: Tokens, subscriber: Subscriber) -> str:
    """Return the token of the link that was asked for last; "" if it has done its work."""
    if subscriber.account_nonce is None:
        return ""
    return tokens.timed(Purpose.ACCOUNT, [subscriber.public_id, subscriber.account_nonce])


def look(session: Session, tokens: Tokens, token: str) -> Subscriber | None:
    """Return whose link this is; None if it has done its work. Raises `BadToken` or `ExpiredToken`."""
    public_id, nonce = tokens.read_pair(Purpose.ACCOUNT, token, VALID)
    found = directory.by_public_id(session, public_id)
    if found is None or found.account_nonce != nonce or found.status not in KNOWN:
        return None
    return None if suppression.reason_for(session, found.address_hash) in SILENT else found


def use(session: Session, tokens: Tokens, token: str) -> Subscriber | None:
    """Spend a link and return whose it was; None if it has done its work. Raises as `look` does."""
    if look(session, tokens, token) is None:
        return None
    public_id, nonce = tokens.read_pair(Purpose.ACCOUNT, token, VALID)
    found: Subscriber | None = session.scalar(
        update(Subscriber)
        .where(and_(Subscriber.public_id == public_id, Subscriber.account_nonce == nonce))
        .values(account_nonce=None)
        .returning(Subscriber)
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    return found
