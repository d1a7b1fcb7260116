"""Who gets which articles: what is new to each, what they follow, never twice, never empty."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from blog import clock
from blog.articles.models import Article, ArticleStatus
from blog.content.values import Site
from blog.db import Base, Database
from blog.delivery.models import Delivery, DeliveryState, Suppression, Variant
from blog.digests import dispatch, plan
from blog.digests.dispatch import Office, Opened
from blog.digests.models import Issue
from blog.subscribers.models import Cadence, Subscriber
from blog.web.pieces import Services
from tests.factories import make_article, make_subscriber

NOW = clock.now().replace(microsecond=0)
DAY = timedelta(days=1)


def article(
    services: Services, slug: str, live: datetime, topics: Iterable[str] = ("ai",), **more: object
) -> None:
    with services.database.transaction() as session:
        make_article(session, slug=slug, topics=list(topics), published_at=live, live_at=live, **more)


def subscriber(
    services: Services, email: str, topics: str = "", cadence: str = "weekly", **more: object
) -> int:
    with services.database.transaction() as session:
        return make_subscriber(
            session, services.tokens, email, topics=topics, cadence=cadence, now=NOW - 90 * DAY, **more
        ).id


def run(services: Services, now: datetime, at: datetime | None = None) -> Opened:
    office = Office(services.database, services.settings, services.links, Site(name="Signal & System"))
    return dispatch.run(office, Cadence.WEEKLY, now, at)


def deliver_all(database: Database, state: DeliveryState = DeliveryState.ACCEPTED) -> None:
    with database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.state == DeliveryState.PLANNED).values(state=state))


def articles_of(database: Database, issue: int | None) -> dict[str, set[str]]:
    """Return for each recipient of an issue the slugs in their variant."""
    with database.reading() as session:
        rows = session.execute(
            select(Delivery.address, Variant.template)
            .join(Variant, Variant.id == Delivery.variant_id)
            .where(Delivery.mailing_id == issue)
        ).all()
        slugs = list(session.scalars(select(Article.slug)))
    return {to: {s for s in slugs if f"/articles/{s}>".encode() in template} for to, template in rows}


def test_each_subscriber_gets_what_is_new_in_the_topics_they_follow(services: Services) -> None:
    article(services, "on-ai", NOW - DAY, ["ai"])
    article(services, "on-security", NOW - DAY, ["security"])
    subscriber(services, "all@example.org")
    subscriber(services, "ai@example.org", "ai")
    subscriber(services, "both@example.org", "ai,security")
    subscriber(services, "nothing@example.org", "gardening")
    opened = run(services, NOW)
    assert (opened.eligible, opened.variants) == (3, 2)
    assert articles_of(services.database, opened.issue) == {
        "all@example.org": {"on-ai", "on-security"},
        "ai@example.org": {"on-ai"},
        "both@example.org": {"on-ai", "on-security"},
    }


def test_a_second_run_opens_nothing_and_a_new_article_opens_an_issue_with_it_alone(
    services: Services,
) -> None:
    article(services, "first", NOW - DAY)
    subscriber(services, "ada@example.org")
    assert run(services, NOW).eligible == 1
    assert run(services, NOW) == dispatch.NOTHING
    deliver_all(services.database)
    assert run(services, NOW + DAY) == dispatch.NOTHING
    article(services, "second", NOW + 2 * DAY)
    opened = run(services, NOW + 3 * DAY)
    assert articles_of(services.database, opened.issue) == {"ada@example.org": {"second"}}


@pytest.mark.parametrize(
    ("state", "again"),
    [("accepted", False), ("uncertain", False), ("planned", False), ("failed", True), ("skipped", True)],
)
def test_what_was_or_may_have_been_sent_is_not_repeated_and_what_was_not_is(
    services: Services, state: str, again: bool
) -> None:
    article(services, "first", NOW - DAY)
    subscriber(services, "ada@example.org")
    run(services, NOW)
    deliver_all(services.database, DeliveryState(state))
    assert (run(services, NOW + DAY).issue is not None) is again


def test_only_active_subscribers_of_the_cadence_whose_address_is_not_suppressed_are_eligible(
    services: Services,
) -> None:
    article(services, "first", NOW - DAY)
    subscriber(services, "weekly@example.org")
    subscriber(services, "monthly@example.org", cadence="monthly")
    subscriber(services, "pending@example.org", status="pending")
    subscriber(services, "left@example.org", status="unsubscribed")
    bounced = subscriber(services, "bounced@example.org")
    with services.database.transaction() as session:
        found = session.get(Subscriber, bounced)
        assert found
        session.add(Suppression(address_hash=found.address_hash, reason="bounced", created_at=NOW))
    opened = run(services, NOW)
    assert set(articles_of(services.database, opened.issue)) == {"weekly@example.org"}


def test_drafts_scheduled_expired_and_removed_articles_are_never_in_an_issue(services: Services) -> None:
    article(services, "draft", NOW - DAY, status=ArticleStatus.DRAFT)
    article(services, "later", NOW + DAY)
    article(services, "expired", NOW - DAY, expires_at=NOW - timedelta(hours=1))
    article(services, "removed", NOW - DAY, removed_at=NOW)
    subscriber(services, "ada@example.org")
    assert run(services, NOW) == dispatch.NOTHING


def test_a_changed_date_makes_no_article_new(services: Services) -> None:
    article(services, "first", NOW - DAY)
    subscriber(services, "ada@example.org")
    run(services, NOW)
    with services.database.transaction() as session:
        session.execute(update(Article).values(published_at=NOW + timedelta(hours=1)))
    assert run(services, NOW + DAY) == dispatch.NOTHING


def test_a_newcomer_gets_the_last_period_and_at_least_the_latest_five(services: Services) -> None:
    for number in range(9):
        article(services, f"old-{number}", NOW - timedelta(days=100 + number))
    subscriber(services, "ada@example.org")
    opened = run(services, NOW)
    assert articles_of(services.database, opened.issue)["ada@example.org"] == {f"old-{n}" for n in range(5)}
    for number in range(7):
        article(services, f"new-{number}", NOW + timedelta(seconds=1) - timedelta(hours=number))
    subscriber(services, "bob@example.org")
    opened = run(services, NOW + timedelta(minutes=1))
    found = articles_of(services.database, opened.issue)
    assert found["bob@example.org"] == {f"new-{n}" for n in range(7)}
    assert found["ada@example.org"] == {"new-0"}


def test_a_long_issue_is_cut_and_says_so(services: Services) -> None:
    for number in range(25):
        article(services, f"piece-{number}", NOW - timedelta(hours=number))
    subscriber(services, "ada@example.org")
    opened = run(services, NOW)
    assert len(articles_of(services.database, opened.issue)["ada@example.org"]) == plan.MOST_ARTICLES
    with services.database.reading() as session:
        assert b"5 more in the archive" in session.scalars(select(Variant.template)).one()


def test_the_web_view_is_frozen_when_the_issue_opens(services: Services) -> None:
    article(services, "first", NOW - DAY, title="As it was")
    subscriber(services, "ada@example.org")
    opened = run(services, NOW)
    with services.database.transaction() as session:
        session.execute(update(Article).values(title="Rewritten"))
    with services.database.reading() as session:
        issue = session.get(Issue, opened.issue)
    assert issue
    assert "As it was" in issue.web_html
    assert "Rewritten" not in issue.web_html


def test_an_issue_as_of_a_later_moment_holds_what_is_live_then_and_costs_nobody_an_article(
    services: Services,
) -> None:
    article(services, "scheduled", NOW + DAY)
    subscriber(services, "ada@example.org")
    assert run(services, NOW) == dispatch.NOTHING
    opened = run(services, NOW, at=NOW + 2 * DAY)
    assert articles_of(services.database, opened.issue) == {"ada@example.org": {"scheduled"}}
    with services.database.reading() as session:
        assert session.scalars(select(Delivery.next_at)).one() == NOW
    article(services, "in-between", NOW + timedelta(hours=3))
    opened = run(services, NOW + 3 * DAY)
    assert articles_of(services.database, opened.issue) == {"ada@example.org": {"in-between"}}


def test_a_period_is_planned_once_even_when_it_was_empty(services: Services) -> None:
    office = Office(services.database, services.settings, services.links, Site())
    subscriber(services, "ada@example.org")
    assert dispatch.run(office, Cadence.WEEKLY, NOW, period="2026-W48") == dispatch.NOTHING
    article(services, "first", NOW - DAY)
    assert dispatch.run(office, Cadence.WEEKLY, NOW, period="2026-W48") == dispatch.NOTHING
    assert dispatch.run(office, Cadence.WEEKLY, NOW, period="2026-W49").eligible == 1


topics = st.sets(st.sampled_from(["ai", "security", "privacy"]), max_size=3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    articles=st.lists(st.tuples(st.integers(0, 400), topics), max_size=6),
    people=st.lists(topics, min_size=1, max_size=5),
    runs=st.lists(st.integers(1, 300), min_size=1, max_size=3),
)
def test_planning_agrees_with_a_naive_model(
    services: Services, articles: list[tuple[int, set[str]]], people: list[set[str]], runs: list[int]
) -> None:
    wipe(services.database)
    start = NOW - timedelta(hours=500)
    for number, (hour, chosen) in enumerate(articles):
        article(services, f"a-{number}", start + timedelta(hours=hour), sorted(chosen))
    for number, chosen in enumerate(people):
        subscriber(services, f"p{number}@example.org", ",".join(sorted(chosen)))
    since: dict[int, datetime] = {}
    for hour in sorted(set(runs)):
        cutoff = start + timedelta(hours=hour)
        opened = run(services, cutoff)
        expected = {}
        for number, followed in enumerate(people):
            mine = [
                (start + timedelta(hours=h), f"a-{n}")
                for n, (h, chosen) in enumerate(articles)
                if h <= hour and (not followed or followed & chosen)
            ]
            if number in since:
                fresh = {slug for live, slug in mine if live > since[number]}
            else:
                latest = sorted(mine, key=lambda m: (m[0], int(m[1][2:])))[-5:]
                fresh = {s for live, s in mine if live > cutoff - 7 * DAY or (live, s) in latest}
            if fresh:
                expected[f"p{number}@example.org"] = fresh
                since[number] = cutoff
        assert articles_of(services.database, opened.issue) == expected
        assert opened.eligible == len(expected)
        deliver_all(services.database)


def wipe(database: Database) -> None:
    with database.transaction() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
