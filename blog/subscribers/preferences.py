"""Preferences: how often and about what, changed through a link that only the subscriber's mailbox holds."""

from datetime import datetime

from sqlalchemy.orm import Session

from blog.subscribers import audience, choices, directory, lifecycle
from blog.subscribers.choices import chosen_topics
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Cadence, Status, Subscriber
from blog.tokens import Purpose, Tokens


def token_for(tokens: Tokens, public_id: str) -> str:
    """Return the token of a preferences link; it works for years."""
    return tokens.capability(Purpose.PREFERENCES, public_id)


def read(session: Session, tokens: Tokens, token: str) -> Subscriber | None:
    """Return the active subscriber a link belongs to; None if there is none (any more).

    Raises `BadToken` for a link not of ours.
    """
    subscriber = directory.by_public_id(session, tokens.read_capability(Purpose.PREFERENCES, token))
    if subscriber is None or audience.public_status(session, subscriber) is not Status.ACTIVE:
        return None
    return subscriber


def change(
    session: Session,
    tokens: Tokens,
    token: str,
    cadence: Cadence,
    topics: tuple[str, ...],
    origin: Origin,
    now: datetime,
) -> Subscriber | None:
    """Change an active subscriber's choices and return the subscriber; None if there is none (any more).

    Raises `BadToken` for a link not of ours.
    """
    before = read(session, tokens, token)
    if before is None:
        return None
    if (before.cadence, chosen_topics(before.topics)) == (cadence, list(topics)):
        return before
    return lifecycle.move(
        session,
        Subscriber.id == before.id,
        Event.CHANGED,
        Act(Method.PAGE, origin, now),
        values={"cadence": cadence, "topics": ",".join(topics)},
        details=choices.of,
    )
