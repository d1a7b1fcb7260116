"""The settings of how fast mail goes, and of when an issue stops by itself; the defaults hold nobody up."""

import re
from dataclasses import dataclass
from datetime import date

from pydantic import Field, field_validator

from blog.mail_settings import MailSettings

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
#: The key that stands for all mail together, and the one for each domain that is not named.
RELAY, EACH = "relay", "*"
_PLACE = re.compile(r"relay|\*|[a-z0-9-]+(\.[a-z0-9-]+)+")
_RATE = re.compile(r"([1-9][0-9]{0,8}) ?/ ?(second|minute|hour|day)")


@dataclass(frozen=True)
class Rate:
    """So many within so many seconds, in any stretch of that length.

    A tenth may go at once; what is left of the number is spread over the stretch, so that the two together
    are never more than what was asked for.
    """

    number: int
    seconds: int

    @property
    def burst(self) -> int:
        return max(1, self.number // 10)

    @property
    def per_second(self) -> float:
        return (self.number if self.burst == 1 else self.number - self.burst) / self.seconds

    def __str__(self) -> str:
        units = {seconds: name for name, seconds in SECONDS.items()}
        return f"{self.number:,} a {units[self.seconds]}"


def rate(text: str) -> Rate:
    """Read a rate such as `20/minute`; raise `ValueError` for anything else."""
    found = _RATE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no rate; write a number and a unit, such as 14/second or 500/hour")
    return Rate(int(found[1]), SECONDS[found[2]])


class PaceSettings(MailSettings):
    """The part of `Settings` that is about the pace of issues."""

    pace: dict[str, str] = Field(
        {},
        description='Most that goes out: `{"relay": "14/second", "gmail.com": "20/minute", "*": "500/hour"}`',
    )
    warm_up_from: date | None = Field(
        None, description="First day of a new sender's warm-up, such as `2026-12-01`; unset = none"
    )
    warm_up_plan: list[int] = Field(
        [50, 100, 200, 400, 800, 1500, 3000, 6000, 12000, 25000, 50000, 100000],
        description="Most deliveries on each day of the warm-up (JSON list); after the last day no limit",
    )
    canary_percent: float = Field(
        2.0, ge=0, le=50, description="Share of an issue of 5,000 or more that goes first; 0 = none"
    )
    canary_minutes: int = Field(
        0, ge=0, le=1440, description="How long the rest waits for bounces once that share has gone"
    )
    pause_at_bounces: float = Field(
        10.0, ge=0, le=100, description="Bounces in a hundred at which an issue pauses by itself; 0 = never"
    )
    pause_at_complaints: float = Field(
        0.3, ge=0, le=100, description="Complaints in a hundred at which it does; 0 = never"
    )

    @field_validator("pace")
    @classmethod
    def _paces_are_rates(cls, value: dict[str, str]) -> dict[str, str]:
        for place, text in value.items():
            if not _PLACE.fullmatch(place):
                raise ValueError(f'{place!r} is no place; write "relay", a domain in small letters, or "*"')
            rate(text)
        return value

    @field_validator("warm_up_plan")
    @classmethod
    def _days_have_numbers(cls, value: list[int]) -> list[int]:
        if any(number < 1 for number in value):
            raise ValueError("every day needs a number of 1 or more")
        return value
