"""When a digest is due: the publisher's schedule of each cadence, in a time zone, DST included.

A period is planned once, whatever the clock does: its key is a primary key. A run that was missed is caught
up within six hours; later it is skipped, and the next one holds what it would have held.

Where each subscriber's own clock decides, the issue is planned when the first of them has reached the time,
and each delivery falls due by its own reader's clock: one issue, one text, up to 26 hours of sending.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.digests.models import ScheduleRun
from blog.errors import UsageError
from blog.subscribers.models import Cadence, Status, Subscriber

CATCH_UP = timedelta(hours=6)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_MONTH = 31


@dataclass(frozen=True)
class Schedule:
    """One cadence's schedule; `day` is a weekday (0 = Monday) for weekly, a day of the month for monthly.

    With `review` an issue is planned at its time and waits until somebody approves it.
    """

    cadence: Cadence
    zone: ZoneInfo
    at: time
    day: int | None = None
    review: bool = False
    by_readers_clock: bool = False

    def last_due(self, now: datetime) -> datetime:
        """Return the latest due time (UTC) that is not after `now`."""
        return first_instant(self.last_day(now, self.zone), self.at, self.zone)

    def last_day(self, now: datetime, zone: ZoneInfo) -> date:
        """Return the latest day on which it was due by the clock of a zone, as of `now`."""
        today = now.astimezone(zone).date()
        for candidate in (today - timedelta(days=back) for back in range(-1, LONGEST_MONTH + 2)):
            if self._falls_on(candidate) and first_instant(candidate, self.at, zone) <= now:
                return candidate
        raise AssertionError("every schedule is due within a month")

    def _falls_on(self, candidate: date) -> bool:
        if self.cadence is Cadence.WEEKLY:
            return candidate.weekday() == self.day
        if self.cadence is Cadence.MONTHLY:
            return candidate.day == self.day
        return True


def read(digests: Mapping[str, Any]) -> list[Schedule]:
    """Return the schedules of `[digests]` in `site.toml`; raise `UsageError` naming every mistake."""
    problems: list[str] = []
    here, readers = _zone(digests.get("timezone", "UTC"), problems), _readers(digests, problems)
    found = [
        replace(_schedule(Cadence(name), table, here, problems), by_readers_clock=readers)
        for name, table in digests.items()
        if name in (Cadence.DAILY, Cadence.WEEKLY, Cadence.MONTHLY) and table.get("enabled", True)
    ]
    if problems:
        raise UsageError("content/site.toml: " + "; ".join(problems))
    return found


def zone(digests: Mapping[str, Any]) -> ZoneInfo:
    """Return the zone whose calendar says which day an issue is of."""
    return _zone(digests.get("timezone", "UTC"), [])


def sends_instantly(digests: Mapping[str, Any]) -> bool:
    """Return whether subscribers of *each article* are served."""
    return bool(digests.get(Cadence.INSTANT, {}).get("enabled", False))


@dataclass(frozen=True)
class Due:
    """A period whose turn has come; `local` says when, by zone, where readers' own clocks decide."""

    cadence: Cadence
    period: str
    review: bool = False
    local: Mapping[str, datetime] = field(default_factory=dict)


def due(session: Session, schedules: list[Schedule], now: datetime) -> Iterator[Due]:
    """Yield each schedule's latest period that has not been planned yet."""
    for schedule in schedules:
        last = _by_readers_clock(session, schedule, now) if schedule.by_readers_clock else None
        if last is None:
            at = schedule.last_due(now)
            last = Due(schedule.cadence, at.strftime("%Y-%m-%dT%H:%MZ"), schedule.review)
            over = at
        else:
            over = max(last.local.values())
        if now - over <= CATCH_UP and not ran(session, schedule.cadence, last.period):
            yield last


def _by_readers_clock(session: Session, schedule: Schedule, now: datetime) -> Due | None:
    """Return the latest period that has begun for some reader; None where nobody reads."""
    zones = {name: zone for name in timezones(session, schedule.cadence) if (zone := _known(name))}
    if not zones:
        return None
    day = max(schedule.last_day(now, zone) for zone in zones.values())
    local = {name: first_instant(day, schedule.at, zone) for name, zone in zones.items()}
    return Due(schedule.cadence, f"{day.isoformat()} by readers", schedule.review, local)


def timezones(session: Session, cadence: Cadence) -> list[str]:
    """Return the zones that readers of a cadence are in."""
    mine = Subscriber.status == Status.ACTIVE, Subscriber.cadence == cadence
    return list(session.scalars(select(Subscriber.timezone).where(*mine).distinct()))


def ran(session: Session, cadence: str, period: str) -> bool:
    """Return whether this period has been planned."""
    return session.get(ScheduleRun, (cadence, period)) is not None


def mark(session: Session, cadence: str, period: str, issue_id: int | None, now: datetime) -> None:
    """Note that this period has been planned; a second note of it fails."""
    session.add(ScheduleRun(cadence=cadence, period=period, ran_at=now, issue_id=issue_id))
    session.flush()


def first_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return when the wall clock first shows `at` on `day`; where it jumps over `at`, the jump itself."""
    local = datetime.combine(day, at, zone)
    for _ in range(24 * 60):
        instant = local.astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
            return instant
        local += timedelta(minutes=1)
    raise AssertionError("no zone skips a whole day's wall clock")


def _schedule(cadence: Cadence, table: Mapping[str, Any], zone: ZoneInfo, problems: list[str]) -> Schedule:
    at = _time(cadence, table.get("time", "09:00"), problems)
    review, day = _yes_or_no(cadence, table.get("review", False), problems), None
    if cadence is Cadence.WEEKLY:
        day = _weekday(table.get("day", "friday"), problems)
    if cadence is Cadence.MONTHLY:
        day = _day_of_month(table.get("day", 1), problems)
    return Schedule(cadence, zone, at, day, review)


def _readers(digests: Mapping[str, Any], problems: list[str]) -> bool:
    whose = digests.get("clock", "publisher")
    if whose not in ("publisher", "subscriber"):
        problems.append(f'[digests] clock {whose!r}: write "publisher" or "subscriber"')
    return bool(whose == "subscriber")


def _known(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _yes_or_no(cadence: str, value: Any, problems: list[str]) -> bool:
    if not isinstance(value, bool):
        problems.append(f"[digests.{cadence}] review {value!r}: write true or false, without quotes")
    return value is True


def _zone(name: Any, problems: list[str]) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(f"[digests] timezone {name!r} is unknown; use a name such as Europe/Berlin")
        return ZoneInfo("UTC")


def _time(cadence: str, text: Any, problems: list[str]) -> time:
    try:
        return time.fromisoformat(str(text)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        problems.append(f"[digests.{cadence}] time {text!r} is no time; use 24 hours, such as 09:00")
        return time(9)


def _weekday(name: Any, problems: list[str]) -> int:
    if str(name).lower() in WEEKDAYS:
        return WEEKDAYS.index(str(name).lower())
    problems.append(f"[digests.weekly] day {name!r} is no weekday; use monday to sunday")
    return 4


def _day_of_month(number: Any, problems: list[str]) -> int:
    if isinstance(number, int) and 1 <= number <= 28:
        return number
    problems.append(f"[digests.monthly] day {number!r}: use 1 to 28, which every month has")
    return 1
