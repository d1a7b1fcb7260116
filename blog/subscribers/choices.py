"""What a subscriber chooses: how often, and about what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from blog.content.values import Site
from blog.language import N_
from blog.subscribers.models import Cadence, Subscriber

MOST_TOPIC_CHARACTERS = 2000  # the width of the column

NO_SUCH_CADENCE = N_("Choose how often you want to hear from us, from the list.")
NO_SUCH_TOPIC = N_("One of these topics does not exist. Choose from the list.")
TOO_MANY_TOPICS = N_("That is more topics than we can keep apart. Tick none of them to hear about all.")
NO_SUCH_LANGUAGE = N_("We do not write in that language. Choose from the list.")
NO_SUCH_TIMEZONE = N_("That time zone is not known. Write it as Europe/Berlin.")
LONGEST_PAUSE = timedelta(days=366)
NO_SUCH_DAY = N_("Choose a day from tomorrow to a year from now, or leave the field empty.")


class BadChoice(ValueError):
    """A choice that is not on offer; the message says so to the person who made it."""


class BadDate(BadChoice):
    """A day on which mail cannot start again."""


@dataclass(frozen=True)
class Choices:
    """How often and about what (no topics: about everything), in which time zone and language."""

    cadence: Cadence
    topics: tuple[str, ...]
    timezone: str
    language: str

    @property
    def stored_topics(self) -> str:
        """The topics as their column holds them."""
        return ",".join(self.topics)


def offered(site: Site) -> list[Cadence]:
    """Return how often one can hear from this site."""
    return [cadence for cadence in Cadence if site.digests.get(cadence, {}).get("enabled", True)]


def usual(site: Site) -> Cadence:
    """Return the cadence of somebody who chose none: weekly where that is on offer."""
    return next(iter(sorted(offered(site), key=lambda cadence: cadence != Cadence.WEEKLY)), Cadence.WEEKLY)


def cadence(value: str, site: Site) -> Cadence:
    """Read a cadence; raise `BadChoice` for one that is not on offer."""
    chosen = value.strip().lower()
    if not chosen:
        return usual(site)
    if chosen not in offered(site):
        raise BadChoice(NO_SUCH_CADENCE)
    return Cadence(chosen)


def topics(values: Iterable[str], site: Site) -> tuple[str, ...]:
    """Read topics, sorted and each once; raise `BadChoice` for one that does not exist."""
    chosen = {value.strip() for value in values} - {""}
    if not chosen.issubset(topic.slug for topic in site.topics):
        raise BadChoice(NO_SUCH_TOPIC)
    if len(",".join(chosen)) > MOST_TOPIC_CHARACTERS:
        raise BadChoice(TOO_MANY_TOPICS)
    return tuple(sorted(chosen))


def chosen_topics(stored: str) -> list[str]:
    """Return the topics that a stored value stands for; an empty list means all."""
    return stored.split(",") if stored else []


def of(subscriber: Subscriber) -> dict[str, Any]:
    """Return what somebody has chosen, as the record of consent holds it."""
    return {"cadence": subscriber.cadence, "topics": chosen_topics(subscriber.topics)}


def language(value: str, site: Site) -> str:
    """Read a language; raise `BadChoice` for one that the publisher does not offer."""
    if value not in site.languages:
        raise BadChoice(NO_SUCH_LANGUAGE)
    return value


def timezone(value: str) -> str:
    """Read a time zone's name; raise `BadChoice` for one that does not exist."""
    if value not in available_timezones():
        raise BadChoice(NO_SUCH_TIMEZONE)
    return value


@cache
def timezones() -> list[str]:
    """Return the time zones to choose from: those named after places, and UTC."""
    places = [name for name in available_timezones() if "/" in name and not name.startswith("Etc/")]
    return ["UTC", *sorted(places)]


def pause(value: str, zone: str, now: datetime) -> datetime | None:
    """Read the day mail is to start again, as its first moment there; None for an empty field.

    Raises `BadDate` for a day that is not ahead, or further than a year: a pause is not a farewell.
    """
    if not value.strip():
        return None
    try:
        day = date.fromisoformat(value.strip())
    except ValueError:
        raise BadDate(NO_SUCH_DAY) from None
    if not first_day(zone, now) <= day.isoformat() <= last_day(zone, now):
        raise BadDate(NO_SUCH_DAY)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def first_day(zone: str, now: datetime) -> str:
    """Return the first day on which a pause can end: tomorrow, there."""
    return (now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)).isoformat()


def last_day(zone: str, now: datetime) -> str:
    """Return the last day on which a pause can end."""
    return (now.astimezone(ZoneInfo(zone)).date() + LONGEST_PAUSE).isoformat()


def day_in(moment: datetime, zone: str) -> str:
    """Return the day of a moment by the calendar of a time zone."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()
