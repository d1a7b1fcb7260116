"""Running what is due: by the publication's schedule, once a period, several schedulers being harmless."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from blog.content.values import Site
from blog.delivery import ledger
from blog.delivery.models import Delivery
from blog.delivery.states import Owner
from blog.digests import dispatch
from blog.digests.dispatch import Office
from blog.digests.models import EditionRow
from blog.errors import UsageError
from blog.settings import load_settings
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from tests.factories import make_article, make_subscriber

FRIDAY = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DIGESTS: Mapping[str, Any] = {
    "timezone": "Europe/Berlin",
    "instant": {"enabled": True},
    "weekly": {"day": "friday", "time": "10:00"},
}


def office(services: Services) -> Office:
    site = Site(name="Signal & System", digests=dict(DIGESTS))
    return Office(services.database, services.settings, services.links, site)


def fill(services: Services, cadence: str, live: datetime) -> None:
    with services.database.transaction() as session:
        make_article(session, slug="a-piece", published_at=live)
        make_subscriber(session, services.tokens, "ada@example.org", cadence=cadence, now=live)


def test_a_digest_is_planned_when_its_time_has_come_and_only_once(services: Services) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    early = dispatch.run_due(office(services), FRIDAY - timedelta(hours=1))
    assert [one for one in early if one.issue] == []
    opened = [one for one in dispatch.run_due(office(services), FRIDAY) if one.issue]
    assert [one.eligible for one in opened] == [1]
    assert [
        one for one in dispatch.run_due(office(services), FRIDAY + timedelta(minutes=5)) if one.issue
    ] == []


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1), timedelta(days=8)])
def test_a_clock_that_is_set_back_plans_nothing_twice_and_leaves_nothing_out(
    services: Services, back: timedelta
) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    assert _planned(services, FRIDAY) == [1]
    with services.database.transaction() as session:
        make_article(session, slug="meanwhile", published_at=FRIDAY + timedelta(minutes=5))
    for minutes in range(0, int(back.total_seconds() // 60) + 10, 30):
        assert _planned(services, FRIDAY - back + timedelta(minutes=minutes)) == []
    assert _planned(services, FRIDAY + timedelta(days=7)) == [1]
    with services.database.reading() as session:
        editions = session.scalars(select(EditionRow.articles).order_by(EditionRow.variant_id)).all()
    assert editions == [[1], [2]], "the article of that hour, and no other"


def _planned(services: Services, now: datetime) -> list[int]:
    return [one.eligible for one in dispatch.run_due(office(services), now) if one.issue]


def test_readers_of_each_article_are_served_after_a_burst_has_passed(services: Services) -> None:
    fill(services, "instant", FRIDAY)
    soon, later = FRIDAY + timedelta(minutes=1), FRIDAY + timedelta(minutes=3)
    assert [one for one in dispatch.run_due(office(services), soon) if one.issue] == []
    assert [one.eligible for one in dispatch.run_due(office(services), later) if one.issue] == [1]
    assert [one for one in dispatch.run_due(office(services), later + timedelta(hours=1)) if one.issue] == []


def test_a_burst_of_articles_is_one_mail_to_readers_of_each_article(services: Services) -> None:
    fill(services, "instant", FRIDAY)
    minute = timedelta(minutes=1)
    with services.database.transaction() as session:
        make_article(session, slug="close-behind", published_at=FRIDAY + minute)
    assert [one for one in dispatch.run_due(office(services), FRIDAY + 2.5 * minute) if one.issue] == []
    opened = [one for one in dispatch.run_due(office(services), FRIDAY + 3.1 * minute) if one.issue]
    assert [(one.eligible, one.variants) for one in opened] == [(1, 1)]
    with services.database.reading() as session:
        assert sorted(session.scalars(select(EditionRow.articles)).one()) == [1, 2]
    with services.database.transaction() as session:
        make_article(session, slug="later", published_at=FRIDAY + 9 * minute)
    assert len([o for o in dispatch.run_due(office(services), FRIDAY + 12 * minute) if o.issue]) == 1


def test_by_the_readers_clock_each_delivery_falls_due_in_its_own_morning(services: Services) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    with services.database.transaction() as session:
        far = make_subscriber(session, services.tokens, "far@example.org", now=FRIDAY - timedelta(days=9))
        far.timezone = "Pacific/Kiritimati"
    made = Office(
        services.database, services.settings, services.links,
        Site(digests={"clock": "subscriber", "weekly": {"day": "friday", "time": "09:00"}}),
    )  # fmt: skip
    first_morning = datetime(2026, 11, 19, 19, 0, tzinfo=UTC)
    assert dispatch.run_due(made, first_morning - timedelta(minutes=1)) == []
    opened = dispatch.run_due(made, first_morning)
    assert [one.eligible for one in opened] == [2]
    with services.database.transaction() as session:
        due = dict(session.execute(select(Delivery.address, Delivery.next_at)).all())
        assert due == {
            "far@example.org": first_morning,
            "ada@example.org": datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        }
        owner = Owner("x", "x")
        issue = opened[0].issue or 0
        claims, _ = ledger.claim(session, issue, owner, 10, first_morning)
        assert [claim.address for claim in claims] == ["far@example.org"]
        assert ledger.finish(session, first_morning) == []
    assert dispatch.run_due(made, FRIDAY) == []


def test_several_schedulers_at_once_plan_one_issue(services: Services) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    opened: list[dispatch.Opened] = []
    threads = [
        threading.Thread(target=lambda: opened.extend(dispatch.run_due(office(services), FRIDAY)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in opened if one.issue]) == 1
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_the_same_command_given_four_times_at_once_mails_nobody_twice(services: Services) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    opened: list[dispatch.Opened] = []

    def run() -> None:
        opened.append(dispatch.run(office(services), Cadence.WEEKLY, FRIDAY))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.eligible for one in opened) == [0, 0, 0, 1]


def test_no_digest_is_planned_without_a_postal_address(services: Services) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    settings = load_settings(**{**services.settings.model_dump(), "postal_address": ""})
    bare = Office(services.database, settings, services.links, Site(digests=dict(DIGESTS)))
    with pytest.raises(UsageError, match="BLOG_POSTAL_ADDRESS"):
        dispatch.run_due(bare, FRIDAY)
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
