"""Dates as they stand in published blogs."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.content import dates

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2015-01-09 18:00:00 -0800", "2015-01-10T02:00:00"),
        ("2017-02-10 00:10::00 -03:00", "2017-02-10T03:10:00"),
        ("2017-03-20 15:00 -04:00", "2017-03-20T19:00:00"),
        ("Fri Sep  3 11:21:31 CEST 2021", "2021-09-03T09:21:31"),
        ("2023-01-29 18:30:22 2023 -0800", "2023-01-30T02:30:22"),
        ("2016-1-29", "2016-01-28T23:00:00"),
        ("2024-4-09", "2024-04-08T22:00:00"),
        ("2025-05-30T10:00:00.123Z", "2025-05-30T10:00:00.123000"),
        ("2025-05-30T10:00", "2025-05-30T08:00:00"),
        ("2025/05/30", "2025-05-29T22:00:00"),
        ("May 30, 2025", "2025-05-29T22:00:00"),
        ("Jul 08 2022", "2022-07-07T22:00:00"),
        ("30 May 2025 10:00 GMT", "2025-05-30T10:00:00"),
        ("Wed, 02 Oct 2002 13:00:00 GMT", "2002-10-02T13:00:00"),
        ("1712345678901", "2024-04-05T19:34:38.901000"),
        (1712345678, "2024-04-05T19:34:38"),
        (date(2025, 5, 30), "2025-05-29T22:00:00"),
        (datetime(2025, 5, 30, 12), "2025-05-30T10:00:00"),  # noqa: DTZ001
        (datetime(2025, 5, 30, 12, tzinfo=UTC), "2025-05-30T12:00:00"),
    ],
)
def test_a_date_is_understood_and_a_missing_zone_is_the_sites(written: object, expected: str) -> None:
    assert dates.parse(written, BERLIN) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "05/30/2025",
        "next tuesday",
        "2024-13-01",
        "2024-01-01 25:00",
        "0001-01-01",
        "9999-12-31",
        "",
        True,
        None,
        [],
    ],
)
def test_what_is_not_a_clear_date_is_refused(written: object) -> None:
    assert dates.parse(written, BERLIN) is None


def test_dates_are_found_in_paths_and_names() -> None:
    expected = datetime(2024, 2, 18, 23, tzinfo=UTC)
    assert dates.in_path("/2024/02/19/a-title", BERLIN) == expected
    assert dates.in_name("2024-2-19-a-title", BERLIN) == expected
    assert dates.in_path("/articles/a-title", BERLIN) is None
    assert dates.in_name("20-years-2024-02-19", BERLIN) is None


@given(st.text() | st.integers() | st.floats() | st.datetimes() | st.from_regex(r"\d{4}-\d+-\d+ \d+:\d+ \S*"))
def test_any_value_is_a_utc_date_or_none(value: object) -> None:
    found = dates.parse(value, BERLIN)
    assert found is None or found.tzinfo is UTC
