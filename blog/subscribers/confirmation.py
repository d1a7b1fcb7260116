"""Confirming: the button on the page that the mailed link opens. Looking at the page changes nothing."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import and_
from sqlalchemy.orm import Session

from blog.delivery import outbox, suppression
from blog.delivery.suppression import LIFTED_BY_CONFIRMING, SILENT
from blog.subscribers import choices, directory, lifecycle
from blog.subscribers.consent import Event
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Mail, Status, Subscriber
from blog.tokens import BadToken, ExpiredToken, Purpose, Tokens

VALID_HOURS = 48
VALID = timedelta(hours=VALID_HOURS)
CONFIRMABLE = (Status.PENDING, Status.UNSUBSCRIBED)


class State(StrEnum):
    """What a confirmation link is good for."""

    ASK = "ask"
    CONFIRMED = "confirmed"
    ALREADY = "already"
    EXPIRED = "expired"
    INVALID = "invalid"


@dataclass(frozen=True)
class Confirmation:
    """What came of a confirmation link, and for whom where that may be told."""

    state: State
    subscriber: Subscriber | None = None


def token_for(tokens: Tokens, subscriber: Subscriber) -> str:
    """Return the token of a confirmation link; it dies with its time, or when a newer link is made."""
    return tokens.timed(Purpose.CONFIRM, [subscriber.public_id, subscriber.nonce])


def look(session: Session, tokens: Tokens, token: str) -> Confirmation:
    """Return what pressing the button would do, without doing it."""
    read = _read(tokens, token)
    return read if isinstance(read, Confirmation) else _standing(session, *read)


def confirm(session: Session, tokens: Tokens, token: str, act: Act, domain: str) -> Confirmation:
    """Make the subscription active, once; a link that has done its work answers `already`.

    The welcome goes out from `domain`, if it never has before.
    """
    read = _read(tokens, token)
    if isinstance(read, Confirmation):
        return read
    public_id, nonce = read
    standing = _standing(session, public_id, nonce)
    if standing.state is not State.ASK:
        return standing
    # Of two presses at once only one finds the row as it was: there is one consent event.
    subscriber = lifecycle.move(
        session,
        and_(Subscriber.public_id == public_id, Subscriber.nonce == nonce),
        Event.CONFIRMED,
        act,
        values={"confirmed_at": act.now, "left_at": None},
        details=choices.of,
    )
    if subscriber is None:
        session.expire_all()
        return _standing(session, public_id, nonce)
    suppression.lift(session, subscriber.address_hash, LIFTED_BY_CONFIRMING)
    welcome = f"welcome:{subscriber.public_id}"
    outbox.add(session, Mail.WELCOME, subscriber.id, welcome, domain, act.now)
    return Confirmation(State.CONFIRMED, subscriber)


def _read(tokens: Tokens, token: str) -> tuple[str, str] | Confirmation:
    try:
        return tokens.read_pair(Purpose.CONFIRM, token, VALID)
    except ExpiredToken:
        return Confirmation(State.EXPIRED)
    except BadToken:
        return Confirmation(State.INVALID)


def _standing(session: Session, public_id: str, nonce: str) -> Confirmation:
    subscriber = directory.by_public_id(session, public_id)
    if subscriber is None or suppression.reason_for(session, subscriber.address_hash) in SILENT:
        return Confirmation(State.EXPIRED)
    if subscriber.status == Status.ACTIVE:
        return Confirmation(State.ALREADY, subscriber)
    if subscriber.status in CONFIRMABLE and subscriber.nonce == nonce:
        return Confirmation(State.ASK, subscriber)
    return Confirmation(State.EXPIRED)
