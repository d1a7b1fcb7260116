"""Preferences: how often, about what, where, in which language, and not before when; by a mailed link.

Every digest carries that link and digests get forwarded, so it changes nothing that cannot be changed back
and shows no address. What goes deeper needs a fresh link: see `account`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from blog.subscribers import audience, choices, directory, lifecycle
from blog.subscribers.consent import Event
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Cadence, Status, Subscriber
from blog.tokens import Purpose, Tokens


@dataclass(frozen=True)
class Wishes:
    """What the form asks for; without `paused_until` mail comes at once."""

    cadence: Cadence
    topics: tuple[str, ...]
    timezone: str
    paused_until: datetime | None = None
    #: None: as it is.
    language: str | None = None


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


def change(session: Session, tokens: Tokens, token: str, wishes: Wishes, act: Act) -> Subscriber | None:
    """Change an active subscriber's choices and return the subscriber; None if there is none (any more).

    Raises `BadToken` for a link not of ours.
    """
    before = read(session, tokens, token)
    if before is None:
        return None
    after: Subscriber | None = before
    spoken = wishes.language or before.language
    if _chosen(before) != (wishes.cadence, list(wishes.topics), wishes.timezone, spoken):
        said = {"language": spoken} if spoken != before.language else {}
        after = lifecycle.move(
            session,
            Subscriber.id == before.id,
            Event.CHANGED,
            act,
            values={
                "cadence": wishes.cadence,
                "topics": ",".join(wishes.topics),
                "timezone": wishes.timezone,
                "language": spoken,
            },
            details=lambda person: choices.of(person) | said,
        )
    return _paused(session, after, wishes.paused_until, act) if after is not None else None


def _paused(session: Session, person: Subscriber, until: datetime | None, act: Act) -> Subscriber | None:
    """Begin, move or end the pause, if that is a change."""
    running = person.paused_until if person.paused_until and person.paused_until > act.now else None
    if running == until:
        return person
    event = Event.PAUSED if until else Event.RESUMED
    details = {"until": until.date().isoformat()} if until else {}
    return lifecycle.move(
        session,
        Subscriber.id == person.id,
        event,
        act,
        values={"paused_until": until},
        details=lambda _: details,
    )


def _chosen(subscriber: Subscriber) -> tuple[str, list[str], str, str]:
    followed = choices.chosen_topics(subscriber.topics)
    return subscriber.cadence, followed, subscriber.timezone, subscriber.language
