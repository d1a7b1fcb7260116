"""Choices: only what is on offer."""

import pytest

from blog.content.values import Site, Topic
from blog.subscribers import choices
from blog.subscribers.choices import BadChoice, Choices
from blog.subscribers.models import Cadence


def test_a_cadence_is_read_and_nothing_means_weekly(site: Site) -> None:
    assert choices.cadence("monthly", site) is Cadence.MONTHLY
    assert choices.cadence(" Instant ", site) is Cadence.INSTANT
    assert choices.cadence("", site) is Cadence.WEEKLY


@pytest.mark.parametrize("value", ["hourly", "daily", "weekly; drop", "\0"])
def test_a_cadence_that_is_not_on_offer_is_refused(site: Site, value: str) -> None:
    with pytest.raises(BadChoice, match="from the list"):
        choices.cadence(value, site)


def test_without_a_weekly_digest_the_usual_one_is_another() -> None:
    site = Site(digests={"weekly": {"enabled": False}, "instant": {"enabled": False}})
    assert choices.usual(site) is Cadence.DAILY


def test_topics_are_sorted_and_each_is_kept_once(site: Site) -> None:
    assert choices.topics(["systems", "security", "systems", ""], site) == ("security", "systems")
    assert choices.topics([], site) == ()


def test_an_unknown_topic_is_refused(site: Site) -> None:
    with pytest.raises(BadChoice, match="does not exist"):
        choices.topics(["systems", "gossip"], site)


def test_more_topics_than_the_column_holds_are_refused() -> None:
    many = Site(topics=tuple(Topic(f"topic-number-{n:03}", "x") for n in range(200)))
    with pytest.raises(BadChoice, match="more topics"):
        choices.topics([topic.slug for topic in many.topics], many)


def test_topics_are_stored_as_one_value_and_read_back() -> None:
    assert Choices(Cadence.WEEKLY, ("a", "b"), "UTC", "en").stored_topics == "a,b"
    assert choices.chosen_topics("a,b") == ["a", "b"]
    assert choices.chosen_topics("") == []
