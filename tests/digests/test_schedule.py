"""When a digest is due: weekdays, months, zones and the days on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.db import Database
from blog.digests import schedule
from blog.digests.schedule import Schedule, first_instant
from blog.errors import UsageError
from blog.subscribers.models import Cadence
from blog.tokens import Tokens
from tests.factories import make_subscriber

TOKENS = Tokens((b"k" * 32,))
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = sorted(available_timezones() - {"localtime"})
WEEKLY = Schedule(Cadence.WEEKLY, BERLIN, time(9), 4)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_weekly_digest_is_due_on_its_weekday_at_its_wall_clock_time() -> None:
    assert WEEKLY.last_due(at("2026-11-27T09:00+01:00")) == at("2026-11-27T09:00+01:00")
    assert WEEKLY.last_due(at("2026-11-27T08:59+01:00")) == at("2026-11-20T09:00+01:00")
    assert WEEKLY.last_due(at("2026-07-06T12:00+02:00")) == at("2026-07-03T09:00+02:00")


def test_a_time_that_the_clock_jumps_over_is_the_jump_itself() -> None:
    assert first_instant(date(2026, 3, 29), time(2, 30), BERLIN) == at("2026-03-29T03:00+02:00")


def test_a_time_that_comes_twice_is_the_first_one() -> None:
    assert first_instant(date(2026, 10, 25), time(2, 30), BERLIN) == at("2026-10-25T02:30+02:00")


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.times(),
    st.sampled_from([(Cadence.DAILY, None), (Cadence.WEEKLY, 0), (Cadence.MONTHLY, 28)]),
)
def test_in_every_zone_there_is_one_due_time_a_period_and_it_is_in_the_past(
    zone: str, now: datetime, wall: time, cadence: tuple[Cadence, int | None]
) -> None:
    kind, day = cadence
    found = Schedule(kind, ZoneInfo(zone), wall.replace(second=0, microsecond=0), day)
    last = found.last_due(now)
    assert last <= now
    before = found.last_due(last - timedelta(seconds=1))
    longest = {Cadence.DAILY: 2, Cadence.WEEKLY: 8, Cadence.MONTHLY: 32}[kind]
    assert timedelta(0) < last - before <= timedelta(days=longest)
    assert found.last_due(last) == last


def test_a_missed_run_is_caught_up_within_six_hours_and_then_left(database: Database) -> None:
    with database.reading() as session:
        soon = list(schedule.due(session, [WEEKLY], at("2026-11-27T14:59+01:00")))
        late = list(schedule.due(session, [WEEKLY], at("2026-11-27T15:01+01:00")))
    assert [one.period for one in soon] == ["2026-11-27T08:00Z"]
    assert late == []


def test_a_period_that_has_run_is_not_due_again(database: Database) -> None:
    now = at("2026-11-27T09:05+01:00")
    with database.transaction() as session:
        schedule.mark(session, Cadence.WEEKLY, "2026-11-27T08:00Z", None, now)
    with database.reading() as session:
        assert list(schedule.due(session, [WEEKLY], now)) == []


def test_every_mistake_in_the_schedules_is_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        schedule.read(
            {
                "timezone": "Mars/Olympus",
                "clock": "sundial",
                "daily": {"time": "25:00", "review": "yes"},
                "weekly": {"day": "someday"},
                "monthly": {"day": 31},
            }
        )
    for part in ("Mars/Olympus", "sundial", "25:00", "someday", "31", "review"):
        assert part in str(caught.value)


def test_a_cadence_that_is_switched_off_has_no_schedule() -> None:
    found = schedule.read({"daily": {"enabled": False}, "weekly": {"day": "monday", "time": "08:00"}})
    assert [(s.cadence, s.day, s.at) for s in found] == [(Cadence.WEEKLY, 0, time(8))]


#: The zones furthest apart, and some that change their clocks, by an hour and by half of one.
FAR = ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]


@given(
    st.sampled_from(FAR),
    st.sampled_from(["2026-03-01T00:00Z", "2026-10-01T00:00Z", "2027-02-25T00:00Z"]),
    st.times(),
    st.lists(st.integers(10, 5 * 60), min_size=200, max_size=200),
)
def test_every_day_is_planned_once_however_irregularly_a_worker_looks_and_whatever_clocks_do(
    zone: str, start: str, wall: time, gaps: list[int]
) -> None:
    daily = Schedule(Cadence.DAILY, ZoneInfo(zone), wall.replace(second=0, microsecond=0))
    now = at(start)
    planned: dict[datetime, int] = {daily.last_due(now): 1}
    for minutes in gaps:
        now += timedelta(minutes=minutes)
        last = daily.last_due(now)
        if now - last <= schedule.CATCH_UP:
            planned.setdefault(last, 1)
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in sorted(planned)]
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]


def readers_in(database: Database, *zones: str) -> None:
    with database.transaction() as session:
        for number, zone in enumerate(zones):
            person = make_subscriber(session, TOKENS, f"p{number}@example.org", now=at("2026-01-01T00:00Z"))
            person.timezone = zone


BY_READERS = schedule.read({"clock": "subscriber", "weekly": {"day": "friday", "time": "09:00"}})


def due_at(database: Database, moment: str) -> list[schedule.Due]:
    with database.reading() as session:
        return list(schedule.due(session, BY_READERS, at(moment)))


def test_by_the_readers_clock_the_first_morning_begins_an_issue_and_each_gets_it_at_their_own(
    database: Database,
) -> None:
    readers_in(database, "Pacific/Kiritimati", "Europe/Berlin", "Etc/GMT+12", "Europe/Berlin")
    assert [one.period for one in due_at(database, "2026-11-26T18:59Z")] == []
    (one,) = due_at(database, "2026-11-26T19:00Z")
    assert one.period == "2026-11-27 by readers"
    assert one.local == {
        "Pacific/Kiritimati": at("2026-11-26T19:00Z"),
        "Europe/Berlin": at("2026-11-27T08:00Z"),
        "Etc/GMT+12": at("2026-11-27T21:00Z"),
    }
    with database.transaction() as session:
        schedule.mark(session, Cadence.WEEKLY, one.period, None, at("2026-11-26T19:00Z"))
    assert due_at(database, "2026-11-27T21:00Z") == []


def test_a_missed_morning_is_caught_up_until_six_hours_after_the_last_reader(database: Database) -> None:
    readers_in(database, "Pacific/Kiritimati", "Etc/GMT+12")
    assert len(due_at(database, "2026-11-28T03:00Z")) == 1
    assert due_at(database, "2026-11-28T03:01Z") == []


def test_where_nobody_reads_yet_the_publishers_clock_decides(database: Database) -> None:
    assert [one.period for one in due_at(database, "2026-11-27T09:00Z")] == ["2026-11-27T09:00Z"]
