"""The arithmetic of pace: buckets of tokens, the plan of a warm-up, and what falls due when they are empty.

Values only; `pacing` keeps them in the database, where all workers share them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from blog.pace_settings import EACH, RELAY, PaceSettings, Rate, rate

#: A delivery is put off to its own moment, but not further: by then the pace may be another.
HORIZON = timedelta(minutes=10)
#: A token that is short by no more than rounding is one.
ALMOST = 1.0 - 1e-6


@dataclass(frozen=True)
class WarmUp:
    """The most that a new sender mails on each of its first days, which begin at midnight UTC."""

    first: date
    plan: tuple[int, ...]

    def quota(self, now: datetime) -> int | None:
        """Return today's number; None once the plan is through."""
        day = max(0, (now.date() - self.first).days)
        return self.plan[day] if day < len(self.plan) else None


@dataclass(frozen=True)
class Limits:
    """What the operator allows: all together, to single domains, and to each that is not named."""

    relay: Rate | None = None
    domains: Mapping[str, Rate] = field(default_factory=dict)
    each: Rate | None = None
    warm_up: WarmUp | None = None

    def of(self, domain: str) -> Rate | None:
        """Return the rate of a domain, if it has one."""
        return self.domains.get(domain, self.each)

    def none_at(self, now: datetime) -> bool:
        """Whether nothing is limited."""
        return not (self.relay or self.domains or self.each or (self.warm_up and self.warm_up.quota(now)))


def limits(settings: PaceSettings) -> Limits:
    """Return the limits that the settings ask for."""
    rates = {place: rate(text) for place, text in settings.pace.items()}
    plan = WarmUp(settings.warm_up_from, tuple(settings.warm_up_plan)) if settings.warm_up_from else None
    return Limits(rates.pop(RELAY, None), each=rates.pop(EACH, None), domains=rates, warm_up=plan)


@dataclass
class Gate:
    """The bucket of one place while deliveries go through it; who finds it empty gets a moment of its own."""

    place: str
    tokens: float
    at: datetime
    burst: float
    per_second: float
    planned_to: datetime | None = None
    blocked_until: datetime | None = None
    refused_since: datetime | None = None

    def refill(self, now: datetime) -> None:
        """Add what has flowed in since the last time; a clock that went back adds nothing."""
        seconds = max(0.0, (now - self.at).total_seconds())
        self.tokens = min(self.burst, self.tokens + seconds * self.per_second)
        self.at = now

    def is_open(self) -> bool:
        """Whether one more may go now."""
        return self.tokens >= ALMOST and not (self.blocked_until and self.at < self.blocked_until)

    def take(self) -> None:
        """Let one go."""
        self.tokens = max(0.0, self.tokens - 1.0)

    def owe(self) -> None:
        """Let one go that does not wait: those that do make up for it."""
        self.tokens = max(-self.burst, self.tokens - 1.0)

    def slot(self) -> datetime:
        """Return when the next of those that have to wait may try, each a little later than the last."""
        missing = timedelta(seconds=max(0.0, 1.0 - self.tokens) / self.per_second)
        start = max(self.blocked_until or self.at, self.at + missing, self.planned_to or self.at)
        if start > max(self.at, self.blocked_until or self.at) + HORIZON:
            return start
        self.planned_to = start + timedelta(seconds=1.0 / self.per_second)
        return start


@dataclass
class Day:
    """What is left of one day of a warm-up."""

    place: str
    used: float
    at: datetime
    quota: int
    planned_to: datetime | None = None
    refused_since: datetime | None = None

    def refill(self, now: datetime) -> None:
        """Begin a new day with nothing used."""
        if now.date() != self.at.date():
            self.used = 0.0
        self.at = now

    def is_open(self) -> bool:
        """Whether one more may go today."""
        return self.used < self.quota

    def take(self) -> None:
        """Let one go."""
        self.used += 1.0

    def owe(self) -> None:
        """Let one go that does not wait."""
        self.take()

    def slot(self) -> datetime:
        """Return when the next day begins."""
        return datetime.combine(self.at.date() + timedelta(days=1), time(), UTC)

    @property
    def tokens(self) -> float:
        """What is kept: how many have gone today."""
        return self.used
