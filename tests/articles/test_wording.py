"""Dates, excerpts and counts as pages say them."""

from datetime import UTC, datetime

import pytest

from blog.articles import wording
from blog.content.values import Author, Site, Topic

SITE = Site(
    timezone="America/New_York",
    topics=(Topic("ai", "AI"),),
    authors=(Author("mara-lindqvist", "Mara Lindqvist"),),
)
NEARLY_MIDNIGHT = datetime(2025, 5, 31, 3, 59, tzinfo=UTC)


def test_dates_follow_the_publishers_calendar() -> None:
    assert wording.long_date(NEARLY_MIDNIGHT, SITE) == "May 30, 2025"
    assert wording.short_date(NEARLY_MIDNIGHT, SITE) == "May 30"
    assert wording.iso_date(NEARLY_MIDNIGHT, SITE) == "2025-05-30"


def test_a_moment_for_machines_has_no_fraction_of_a_second() -> None:
    moment = NEARLY_MIDNIGHT.replace(microsecond=468905)
    assert wording.iso_moment(moment, SITE) == "2025-05-30T23:59:00-04:00"


def test_a_short_text_is_shown_whole() -> None:
    assert wording.excerpt("  Two\n words ") == "Two words"


def test_a_long_text_is_cut_between_words_with_an_ellipsis() -> None:
    cut = wording.excerpt("word, " * 60)
    assert cut.endswith("word…")
    assert len(cut) <= wording.CARD_LENGTH + 1


def test_a_text_of_blanks_is_cut_like_any_other() -> None:
    spaced = "  \n".join(f"word{number}" for number in range(100))
    assert wording.excerpt(spaced) == wording.excerpt(" ".join(spaced.split()))
    assert wording.excerpt(f"One{' ' * 500}two") == "One two"


def test_names_are_the_sites_own_where_it_has_them() -> None:
    assert wording.topic_name("ai", SITE) == "AI"
    assert wording.topic_name("back-pressure", SITE) == "Back pressure"
    assert wording.author_name("mara-lindqvist", SITE) == "Mara Lindqvist"
    assert wording.author_name("Somebody Else", SITE) == "Somebody Else"


@pytest.mark.parametrize(("number", "said"), [(1, "1 article"), (0, "0 articles"), (1200, "1,200 articles")])
def test_counts_agree_with_their_noun(number: int, said: str) -> None:
    assert wording.count(number, "article", "articles") == said


def test_only_the_cadences_that_the_site_keeps_are_offered() -> None:
    site = Site(digests={"weekly": {"day": "friday"}, "daily": {"enabled": False}})
    assert dict(wording.cadences(site)) == {
        "instant": "Every article, as it is published",
        "weekly": "Once a week, on Friday",
        "monthly": "Once a month",
    }
