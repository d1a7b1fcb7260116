"""Review first: an issue that is planned waits, unseen, until somebody approves it."""

import re
from datetime import timedelta
from email import message_from_bytes
from email.utils import parsedate_to_datetime

import pytest
from sqlalchemy import select, text

from blog import clock
from blog.content.values import Site
from blog.delivery import control, ledger
from blog.delivery.events import Event
from blog.delivery.models import Variant
from blog.digests import dispatch, reading, review
from blog.digests.dispatch import Office
from blog.errors import BlogError
from blog.settings import Settings
from blog.subscribers.models import Cadence, Subscriber
from blog.web.pieces import Services
from tests.commanding import blog, refused
from tests.delivery.test_sender import account
from tests.digests.test_correction import send
from tests.digests.test_dispatch import FRIDAY, fill, office
from tests.digests.test_plan import NOW, article, articles_of, run, subscriber
from tests.relay import Script, relay


def undated(template: bytes) -> bytes:
    return re.sub(rb"\r\nDate: [^\r]*\r\n", b"\r\n", template)


def plan(services: Services) -> dispatch.Opened:
    made = Office(services.database, services.settings, services.links, Site(name="Signal & System"))
    return dispatch.run(made, Cadence.WEEKLY, NOW, review=True)


def test_a_planned_issue_is_neither_sent_nor_seen_until_it_is_approved(services: Services) -> None:
    article(services, "first", NOW - timedelta(days=1))
    subscriber(services, "ada@example.org")
    opened = plan(services)
    assert (opened.eligible, opened.in_review) == (1, True)
    assert opened.issue is not None
    with services.database.reading() as session:
        before = reading.mark(session)
        assert control.state_of(session, opened.issue) == "planned"
        assert reading.latest(session) == []
        assert reading.issue(session, opened.issue) is None
    assert plan(services) == dispatch.NOTHING
    with services.database.transaction() as session:
        review.approve(session, opened.issue, clock.now())
    with services.database.reading() as session:
        assert control.state_of(session, opened.issue) == "sending"
        assert [issue.id for issue in reading.latest(session)] == [opened.issue]
        assert reading.mark(session) != before
    told = pytest.raises(BlogError, match="only one that is planned")
    with told, services.database.transaction() as session:
        review.approve(session, opened.issue, clock.now())


def test_an_issue_that_is_approved_days_later_bears_the_date_of_that_moment(services: Services) -> None:
    article(services, "first", NOW - timedelta(days=1))
    subscriber(services, "ada@example.org")
    subscriber(services, "bob@example.org")
    opened = plan(services)
    assert opened.issue is not None
    with services.database.reading() as session:
        [variant] = session.scalars(select(Variant))
    later = clock.now().replace(microsecond=0) + timedelta(days=2)
    with services.database.transaction() as session:
        review.approve(session, opened.issue, later)
        approved = ledger.template(session, variant.id)
    with relay() as server:
        send(services, server)
    sent = [message_from_bytes(message.raw) for message in server.messages]
    assert [parsedate_to_datetime(message["Date"]) for message in sent] == [later, later]
    # Nothing else has changed in what was reviewed.
    assert undated(approved) == undated(variant.template)


def test_a_planned_issue_that_is_cancelled_leaves_its_articles_to_the_next_one(services: Services) -> None:
    article(services, "first", NOW - timedelta(days=1))
    subscriber(services, "ada@example.org")
    opened = plan(services)
    assert opened.issue is not None
    with services.database.transaction() as session:
        control.move(session, opened.issue, Event.CANCELLED, clock.now())
        assert not control.drop_the_rest(session, clock.now())
    assert account(services.database, opened.issue) == {"eligible": 1, "skipped": 1}
    again = run(services, NOW)
    assert articles_of(services.database, again.issue) == {"ada@example.org": {"first"}}


def test_a_schedule_may_ask_for_review(services: Services) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    made = office(services)
    made.site.digests["weekly"]["review"] = True
    opened = [one for one in dispatch.run_due(made, FRIDAY) if one.issue]
    assert [one.in_review for one in opened] == [True]
    made.site.digests["weekly"].pop("review")


def test_the_first_few_get_it_and_the_rest_when_somebody_has_looked(
    services: Services, settings: Settings
) -> None:
    article(services, "first", NOW - timedelta(days=1))
    for number in range(7):
        subscriber(services, f"p{number}@example.org")
    opened = plan(services)
    assert opened.issue is not None
    told = blog(settings, "digest", "approve", str(opened.issue), "--first", "3")
    assert f"blog digest resume {opened.issue}" in told
    fault = "rcpt 451"
    with relay(Script(fault=lambda to: fault if to.startswith("p1") else "")) as server:
        send(services, server)
        assert account(services.database, opened.issue) == {"eligible": 7, "accepted": 2, "pending": 5}
        with services.database.reading() as session:
            assert control.state_of(session, opened.issue) == "paused"
        send(services, server)
        assert len(server.messages) == 2
        fault = ""
        blog(settings, "digest", "resume", str(opened.issue))
        send(services, server)
    assert account(services.database, opened.issue) == {"eligible": 7, "accepted": 7}
    assert len({message.recipient for message in server.messages}) == len(server.messages) == 7


def test_the_first_few_are_those_who_have_subscribed_longest(services: Services, settings: Settings) -> None:
    article(services, "first", NOW - timedelta(days=1))
    people = [subscriber(services, f"p{number}@example.org") for number in range(7)]
    for one in (people[1], people[0]):
        with services.database.transaction() as session:
            # PostgreSQL writes a changed row anew, behind all others.
            session.get_one(Subscriber, one).timezone = "Europe/Vienna"
    with services.database.transaction() as session:
        # PostgreSQL reads them in another order once it knows how few they are.
        session.execute(text("ANALYZE"))
    opened = plan(services)
    assert opened.issue is not None
    blog(settings, "digest", "approve", str(opened.issue), "--first", "3")
    with relay() as server:
        send(services, server)
    assert {message.recipient for message in server.messages} == {f"p{one}@example.org" for one in range(3)}


def test_the_list_of_issues_says_where_each_stands(services: Services, settings: Settings) -> None:
    assert "blog digest run" in blog(settings, "digest", "list")
    article(services, "first", NOW - timedelta(days=1))
    subscriber(services, "ada@example.org")
    opened = plan(services)
    [line] = blog(settings, "digest", "list").splitlines()
    assert line.split()[0] == str(opened.issue)
    assert line.split()[4:] == ["planned", "Weekly", "digest", "No.", "1"]
    assert refused(settings, "digest", "status", "99").endswith("blog digest list names those there are")
