"""What the shelf finds for a group is what a look at every article would find."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from blog.articles.models import Article
from blog.digests import plan, shelf
from blog.digests.shelf import FIRST_ISSUE, Entry, Past, Shelf
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from tests.digests.test_plan import DAY, NOW, article, subscriber

TOPICS = ("ai", "security", "privacy")
hours = st.integers(-400, 0).map(lambda number: NOW + timedelta(hours=number))


@dataclass(frozen=True)
class Text:
    """An article with its topics; it may say of itself that it is older, or newer, than it is here."""

    live_at: datetime
    published_at: datetime
    topics: frozenset[str]


texts = st.builds(Text, hours, hours, st.frozensets(st.sampled_from(TOPICS), min_size=1))


def looked_through(
    found: list[tuple[Entry, Text]], followed: set[str], last: Past | None, cadence: Cadence
) -> list[int]:
    """Return the numbers of what is new, by looking at every article."""
    mine = [entry for entry, text in found if not followed or followed & text.topics]
    if last is not None:
        return [one.id for one in mine if one.live_at > last.cutoff_at and one.id not in last.carried]
    reach, at_least = FIRST_ISSUE[cadence]
    latest = sorted(mine, key=lambda one: (one.published_at, one.id), reverse=True)[:at_least]
    return [one.id for one in mine if one in latest or one.live_at > NOW - reach]


@given(
    st.lists(texts, max_size=30),
    st.sets(st.sampled_from((*TOPICS, "nothing"))),
    st.none() | st.builds(Past, hours, st.frozensets(st.integers(0, 30))),
    st.sampled_from(Cadence),
)
def test_it_finds_what_a_look_at_every_article_finds(
    written: list[Text], followed: set[str], last: Past | None, cadence: Cadence
) -> None:
    entries = [(Entry(id_, text.live_at, text.published_at), text) for id_, text in enumerate(written)]
    entries.sort(key=lambda pair: (pair[0].live_at, pair[0].published_at, pair[0].id), reverse=True)
    topics = [(entry.id, topic) for entry, text in entries for topic in text.topics]
    made = Shelf([entry for entry, _ in entries], [*topics, (999, "ai")])
    new = made.new_for(",".join(sorted(followed)), last, cadence, NOW)
    assert [entry.id for entry in new] == looked_through(entries, followed, last, cadence)


def test_an_article_that_is_gone_before_it_is_loaded_is_in_no_issue(services: Services) -> None:
    subscriber(services, "ada@example.org", "ai")
    subscriber(services, "bob@example.org", "security")
    article(services, "stays", NOW - DAY, ["ai"])
    article(services, "goes", NOW - DAY, ["ai", "security"])
    with services.database.transaction() as session:
        listed = plan.articles_at(session, NOW)
        session.execute(update(Article).where(Article.slug == "goes").values(removed_at=NOW))
        found = plan.editions(session, Cadence.WEEKLY, NOW, listed)
    assert [[one.slug for one in edition.articles] for edition in found] == [["stays"]]


def test_only_what_is_shown_is_loaded(services: Services) -> None:
    subscriber(services, "ada@example.org", "ai")
    for age in range(30):
        article(services, f"a-{age}", NOW - (age + 10) * DAY)
    with services.database.transaction() as session:
        listed = plan.articles_at(session, NOW)
        (edition,) = plan.editions(session, Cadence.WEEKLY, NOW, listed)
        held = [one for one in session.identity_map.values() if isinstance(one, Article)]
        assert len(edition.articles) == len(held) == FIRST_ISSUE[Cadence.WEEKLY][1]


def test_the_newest_article_is_the_one_that_appeared_last(services: Services) -> None:
    for age in range(1, 4):
        article(services, f"a-{age}", NOW - age * DAY)
    with services.database.reading() as session:
        assert shelf.newest(session, NOW) == NOW - DAY
        assert shelf.newest(session, NOW - 9 * DAY) is None
