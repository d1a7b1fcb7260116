"""Words, dates, numbers and lists in each language, and what happens in one that nobody has words for."""

from datetime import date

import pytest

from blog import language

DAY = date(2025, 5, 30)


@pytest.mark.parametrize(
    ("tag", "long", "short"),
    [
        ("en", "May 30, 2025", "May 30"),
        ("en-GB", "30 May 2025", "30 May"),
        ("de", "30. Mai 2025", "30. Mai"),
        ("ar", "30 مايو 2025", "30 مايو"),
        ("nl", "May 30, 2025", "May 30"),
        ("de-XX", "30. Mai 2025", "30. Mai"),
    ],
)
def test_dates_are_written_as_the_words_around_them(tag: str, long: str, short: str) -> None:
    assert (language.long_day(tag, DAY), language.short_day(tag, DAY)) == (long, short)


def test_numbers_lists_and_days_of_the_week_follow_the_language() -> None:
    assert [language.decimal(tag, 12345) for tag in ("en", "de", "ar")] == ["12,345", "12.345", "12,345"]
    assert language.listed("en", ["Ada", "Bob", "Eve"]) == "Ada, Bob and Eve"
    assert language.listed("de", ["Ada", "Bob", "Eve"]) == "Ada, Bob und Eve"
    assert language.listed("ar", ["آدم", "سلمى"]) == "آدم وسلمى"
    assert [language.weekday(tag, "friday") for tag in ("en", "de", "ar")] == ["Friday", "Freitag", "الجمعة"]
    assert language.weekday("de", "some day") == "some day"


def test_every_number_has_the_form_that_arabic_has_for_it() -> None:
    def said(number: int) -> str:
        return language.say_many("ar", "%(num)s article", "%(num)s articles", number)

    assert [said(n) for n in (0, 1, 2, 3, 11, 100, 103)] == [
        "لا مقالات",
        "مقال واحد",
        "مقالان",
        "3 مقالات",
        "11 مقالًا",
        "100 مقال",
        "103 مقالات",
    ]


def test_a_country_has_the_words_of_its_language_and_an_unknown_language_those_of_english() -> None:
    assert language.say("de-AT", "Subscribe") == "Abonnieren"
    assert language.say("nl", "Subscribe") == "Subscribe"
    assert language.has_words("de-AT")
    assert not language.has_words("nl")
    assert [language.name_of(tag) for tag in ("en", "de", "ar")] == ["English", "Deutsch", "العربية"]


@pytest.mark.parametrize(
    ("tag", "way"), [("en", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl"), ("az-Arab", "rtl"), ("ar-Latn", "ltr")]
)
def test_a_language_runs_the_way_its_script_does(tag: str, way: str) -> None:
    assert language.direction(tag) == way
