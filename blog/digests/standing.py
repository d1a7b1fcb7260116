"""How somebody stood at a moment in the past, read from their own record."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.subscribers.choices import chosen_topics
from blog.subscribers.consent import Event
from blog.subscribers.models import ConsentEvent, Status, Subscriber

#: What each event makes of a subscription; the others leave it as it is.
_LEADS_TO = {
    Event.REQUESTED: Status.PENDING,
    Event.CONFIRMED: Status.ACTIVE,
    Event.IMPORTED: Status.ACTIVE,
    Event.RESTORED: Status.ACTIVE,
    Event.WITHDRAWN: Status.UNSUBSCRIBED,
    Event.BOUNCED: Status.BOUNCED,
    Event.COMPLAINED: Status.COMPLAINED,
    Event.ERASED: Status.ERASED,
}
IN_WORDS = {
    Event.REQUESTED: "asked for the digest",
    Event.CONFIRMED: "confirmed the address",
    Event.CHANGED: "chose anew",
    Event.MOVED: "moved to another address",
    Event.PAUSED: "paused",
    Event.RESUMED: "ended the pause",
    Event.WITHDRAWN: "left",
    Event.RESTORED: "came back",
    Event.BOUNCED: "was taken off: the mailbox does not exist",
    Event.COMPLAINED: "was taken off: they reported a mail as spam",
    Event.ERASED: "was erased",
    Event.IMPORTED: "was imported from a list opted in elsewhere",
}


@dataclass(frozen=True)
class Standing:
    """Where a subscription stood, what it asked for, and since when."""

    status: Status
    since: datetime
    cadence: str
    topics: tuple[str, ...]
    paused_until: datetime | None

    def topics_of(self, others: set[str]) -> set[str]:
        """Return those of these topics that are followed; no choice means all."""
        return others & set(self.topics) if self.topics else others


def record(session: Session, subscriber: Subscriber) -> list[ConsentEvent]:
    """Return somebody's record, oldest first."""
    mine = select(ConsentEvent).where(ConsentEvent.subscriber_id == subscriber.id)
    return list(session.scalars(mine.order_by(ConsentEvent.at, ConsentEvent.id)))


def at(subscriber: Subscriber, events: list[ConsentEvent], moment: datetime) -> Standing:
    """Return how somebody stood at a moment; what the record does not say is as it is today."""
    before = [event for event in events if event.at <= moment]
    status, since = Status(subscriber.status), subscriber.created_at
    cadence, topics, until = subscriber.cadence, tuple(chosen_topics(subscriber.topics)), None
    told = [event for event in before if event.event in _LEADS_TO]
    if told:
        status, since = _LEADS_TO[Event(told[-1].event)], told[-1].at
    chosen = [event.details for event in before if "cadence" in event.details]
    if chosen:
        cadence, topics = chosen[-1]["cadence"], tuple(chosen[-1].get("topics", ()))
    pauses = [event for event in before if event.event in (Event.PAUSED, Event.RESUMED)]
    if pauses and pauses[-1].event == Event.PAUSED:
        until = _first_moment(pauses[-1].details.get("until", ""), subscriber.timezone)
    return Standing(status, since, cadence, topics, until if until and until > moment else None)


def in_words(event: ConsentEvent) -> str:
    """Return one event of a record in words."""
    words, details = IN_WORDS[Event(event.event)], event.details
    if details.get("until"):
        words += f" until {details['until']}"
    if "cadence" in details and event.event in (Event.REQUESTED, Event.CONFIRMED, Event.CHANGED):
        about = ", ".join(details.get("topics", [])) or "everything"
        words += f": {details['cadence']}, about {about}"
    return words


def _first_moment(day: str, zone: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, KeyError, OSError):
        return None
