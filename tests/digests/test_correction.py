"""Correcting: the unsent get the mended text, those who had the old are told, nobody gets anything twice."""

import threading
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from blog import clock, create_app
from blog.articles.models import Article
from blog.content.values import Site
from blog.delivery import ledger, recording
from blog.delivery.lint import lint
from blog.delivery.models import Delivery, DeliveryState, Mailing
from blog.delivery.sender import Sending, send_due
from blog.delivery.smtp import Relay as RelayAddress
from blog.delivery.states import Policy
from blog.digests import correction, dispatch, reading, why
from blog.digests.dispatch import Office
from blog.errors import BlogError
from blog.settings import Settings
from blog.web.pieces import Services
from tests.commanding import blog, blog_json, refused
from tests.delivery.test_sender import OWNER, account
from tests.digests.test_plan import NOW, article, run, subscriber
from tests.journeys.installation import text_of
from tests.relay import Relay, Script, relay


def send(services: Services, server: Relay) -> None:
    sending = Sending(
        services.database, OWNER, RelayAddress("127.0.0.1", server.port, "test"), 1, Policy.HOLD,
        dispatch.personalise(services.tokens), clock.now,
    )  # fmt: skip
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(next_at=clock.now()))
    send_due(sending, threading.Event(), patience=4)
    with services.database.transaction() as session:
        ledger.finish(session, clock.now())


def retitle(services: Services, title: str) -> None:
    with services.database.transaction() as session:
        session.execute(update(Article).values(title=title))


@pytest.fixture
def half_sent(services: Services) -> int:
    """An issue that Ada has had and Bob has not."""
    article(services, "first", NOW - timedelta(days=1), title="It was May")
    for name in ("ada", "bob"):
        subscriber(services, f"{name}@example.org")
    issue = run(services, NOW).issue
    assert issue is not None
    with relay(Script(fault=lambda to: "rcpt 451" if to.startswith("bob") else "")) as server:
        send(services, server)
    assert account(services.database, issue) == {"eligible": 2, "accepted": 1, "pending": 1}
    return issue


def test_the_unsent_get_the_mended_text_and_exactly_those_who_had_the_old_are_told_once(
    services: Services, settings: Settings, half_sent: int
) -> None:
    issue = str(half_sent)
    retitle(services, "It was June")
    told = blog_json(settings, "digest", "correct", issue, "--note", "It was *June*.", "--erratum")
    erratum = told.pop("erratum")
    assert told == {"issue": half_sent, "mended": 1, "had_the_old": 1, "on_their_way": 0}
    with relay() as server:
        send(services, server)
        again = blog_json(settings, "digest", "correct", issue, "--note", "And more.", "--erratum")
        send(services, server)
    got = {message.recipient: text_of(message) for message in server.messages[:2]}
    assert "It was June" in got["bob@example.org"]
    assert "Correction to Weekly digest No. 1" in got["ada@example.org"]
    assert f"<https://news.example.org/digests/{issue}>" in got["ada@example.org"]
    for message in server.messages:
        assert lint(message.raw) == []
    assert account(services.database, half_sent) == {"eligible": 2, "accepted": 2}
    assert account(services.database, erratum) == {"eligible": 1, "accepted": 1}
    # Bob's text has been replaced in its turn by now.
    assert again["had_the_old"] == 2
    assert sorted(message.recipient for message in server.messages[2:]) == [
        "ada@example.org",
        "bob@example.org",
    ]
    repeated = blog_json(settings, "digest", "correct", issue, "--note", "And more.", "--erratum")
    assert account(services.database, repeated["erratum"]) == {}


def test_a_text_that_was_replaced_after_it_was_claimed_does_not_leave(services: Services) -> None:
    article(services, "first", NOW - timedelta(days=1), title="It was May")
    subscriber(services, "ada@example.org")
    issue = run(services, NOW).issue
    assert issue is not None
    with services.database.transaction() as session:
        claims, _ = ledger.claim(session, issue, OWNER, 1, clock.now())
    retitle(services, "It was June")
    office = Office(services.database, services.settings, services.links, Site())
    done = correction.correct(office, issue, "It was June.", clock.now())
    assert (done.mended, done.had_the_old) == (1, 0)
    with services.database.transaction() as session:
        assert recording.record(session, OWNER, [], [claims[0].id], clock.now()) == set()
        ledger.release(session, OWNER, [claims[0].id], clock.now())
        again, _ = ledger.claim(session, issue, OWNER, 1, clock.now())
        assert again[0].variant_id != claims[0].variant_id
        assert recording.record(session, OWNER, [], [again[0].id], clock.now()) == {again[0].id}
        assert b"It was June" in ledger.template(session, again[0].variant_id)


def test_one_that_is_on_the_wire_keeps_its_text_and_its_leave(services: Services) -> None:
    article(services, "first", NOW - timedelta(days=1))
    subscriber(services, "ada@example.org")
    issue = run(services, NOW).issue
    assert issue is not None
    with services.database.transaction() as session:
        claims, _ = ledger.claim(session, issue, OWNER, 1, clock.now())
        recording.record(session, OWNER, [], [claims[0].id], clock.now())
    office = Office(services.database, services.settings, services.links, Site())
    assert correction.correct(office, issue, "Mended.", clock.now()).on_their_way == 1
    with services.database.transaction() as session:
        assert recording.record(session, OWNER, [], [claims[0].id], clock.now()) == {claims[0].id}
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
    with services.database.reading() as session:
        assert correction.standing(session, issue).had_the_old == 1


def test_the_page_shows_the_mended_text_first_and_keeps_the_one_that_was_sent(
    services: Services, settings: Settings, half_sent: int
) -> None:
    app = create_app(settings)
    client: FlaskClient = app.test_client(use_cookies=False)
    with services.database.reading() as session:
        before = reading.mark(session)
    retitle(services, "It was June")
    blog(settings, "digest", "correct", str(half_sent), "--note", "It was <June>.")
    page = client.get(f"/digests/{half_sent}", headers={"Host": "news.example.org"}).text
    app.extensions["blog"].database.dispose()
    assert page.index("It was &lt;June&gt;.") < page.index("It was June") < page.index("It was May")
    assert "As it was first sent" in page
    with services.database.reading() as session:
        assert reading.mark(session) != before
        told = why.why(session, services.tokens, "bob@example.org", half_sent)
    assert "the text was mended, for all who had not had it yet" in [moment.what for moment in told.timeline]


def test_what_cannot_be_corrected_says_so(services: Services, settings: Settings, half_sent: int) -> None:
    issue = str(half_sent)
    assert "say what was wrong" in refused(settings, "digest", "correct", issue)
    assert "no issue 99" in refused(settings, "digest", "correct", "99", "--note", "x")
    with services.database.transaction() as session:
        session.execute(update(Article).values(removed_at=NOW))
    assert f"blog digest cancel {issue}" in refused(settings, "digest", "correct", issue, "--note", "x")
    blog(settings, "digest", "cancel", issue)
    assert "is cancelled" in refused(settings, "digest", "correct", issue, "--note", "x")


def test_an_erratum_that_was_killed_half_way_goes_on_where_it_was(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correction, "PEOPLE_AT_ONCE", 2)
    article(services, "first", NOW - timedelta(days=1))
    for number in range(5):
        subscriber(services, f"p{number}@example.org")
    issue = run(services, NOW).issue
    assert issue is not None
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
    office = Office(services.database, services.settings, services.links, Site())
    with pytest.raises(BlogError, match="has not been corrected"):
        correction.begin_erratum(office, issue, clock.now())
    correction.correct(office, issue, "Mended.", clock.now())
    erratum = correction.begin_erratum(office, issue, clock.now())
    with services.database.transaction() as session:
        assert correction.plan_erratum(session, issue, erratum, "example.org", clock.now())
    assert correction.begin_erratum(office, issue, clock.now()) == erratum
    more = True
    while more:
        with services.database.transaction() as session:
            assert ledger.claim(session, erratum, OWNER, 9, clock.now()) == ([], 0)
            more = correction.plan_erratum(session, issue, erratum, "example.org", clock.now())
    with services.database.reading() as session:
        told = select(Delivery.recipient_id).where(Delivery.mailing_id == erratum)
        assert sorted(session.scalars(told)) == [1, 2, 3, 4, 5]
        assert session.get_one(Mailing, erratum).recipients == 5
