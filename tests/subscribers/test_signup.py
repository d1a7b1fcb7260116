"""Signing up: one row, one event, one mail; never more than the person behind the address can bear."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from blog.db import Database
from blog.delivery import suppression
from blog.delivery.addresses import parse
from blog.delivery.suppression import Reason
from blog.subscribers import signup
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Method, Origin
from blog.subscribers.models import Cadence, Status
from blog.subscribers.signup import Source
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import event_names, events, fingerprint, outbox, subscriber, subscribers

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("203.0.113.0/24", "/subscribe", "1:abc")
SOURCE = Source(Method.FORM, ORIGIN, "example.org")
WEEKLY = Choices(Cadence.WEEKLY, (), "Europe/Berlin", "en")
SignUp = Callable[..., None]


@pytest.fixture
def sign_up(database: Database, tokens: Tokens) -> SignUp:
    def post(email: str = "jane@example.com", choices: Choices = WEEKLY, now: datetime = NOW) -> None:
        with database.transaction() as session:
            signup.sign_up(session, parse(email), choices, SOURCE, tokens, now)

    return post


def test_a_new_address_is_pending_and_asked_to_confirm(
    database: Database, tokens: Tokens, sign_up: SignUp
) -> None:
    sign_up("Jane+News@Example.com", Choices(Cadence.MONTHLY, ("security", "systems"), "UTC", "en"))
    row = subscriber(database)
    assert (row.status, row.cadence, row.topics) == ("pending", "monthly", "security,systems")
    assert (row.email, row.address_key) == ("Jane+News@example.com", "jane+news@example.com")
    assert row.address_hash == tokens.address_hash(row.address_key)
    assert outbox(database) == ["confirm"]
    (event,) = events(database)
    assert (event.event, event.method, event.network) == ("requested", "form", "203.0.113.0/24")
    assert event.details == {
        "cadence": "monthly",
        "topics": ["security", "systems"],
        "page": "/subscribe",
    }


def test_another_spelling_is_the_same_person(database: Database, sign_up: SignUp) -> None:
    sign_up("jane@example.com")
    sign_up("JANE@EXAMPLE.COM")
    assert len(subscribers(database)) == 1
    assert outbox(database) == ["confirm"]


def test_asking_again_at_once_sends_nothing_and_keeps_the_link(database: Database, sign_up: SignUp) -> None:
    sign_up()
    nonce = subscriber(database).nonce
    sign_up(now=NOW + timedelta(minutes=9))
    assert outbox(database) == ["confirm"]
    assert event_names(database) == ["requested"]
    assert subscriber(database).nonce == nonce


def test_the_last_choice_before_confirming_wins(database: Database, sign_up: SignUp) -> None:
    sign_up()
    sign_up(choices=Choices(Cadence.MONTHLY, ("systems",), "UTC", "en"))
    assert (subscriber(database).cadence, subscriber(database).topics) == ("monthly", "systems")


def test_asking_again_later_sends_a_new_link_and_kills_the_old(database: Database, sign_up: SignUp) -> None:
    sign_up()
    nonce = subscriber(database).nonce
    sign_up(now=NOW + timedelta(minutes=10))
    assert outbox(database) == ["confirm", "confirm"]
    assert subscriber(database).nonce != nonce


def test_an_address_gets_at_most_three_mails_in_any_24_hours(database: Database, sign_up: SignUp) -> None:
    evening = NOW.replace(hour=22)
    for minutes in range(0, 300, 10):
        sign_up(now=evening + timedelta(minutes=minutes))
    assert len(outbox(database)) == 3, "midnight opens no new ration"
    sign_up(now=evening + timedelta(hours=24, minutes=1))
    assert len(outbox(database)) == 4


def test_an_active_address_is_told_so_and_stays_as_it_is(
    database: Database, tokens: Tokens, sign_up: SignUp
) -> None:
    with database.transaction() as session:
        make_subscriber(session, tokens, "jane@example.com", cadence="monthly")
    nonce = subscriber(database).nonce
    sign_up()
    sign_up()
    row = subscriber(database)
    assert (row.status, row.cadence, row.nonce) == ("active", "monthly", nonce)
    assert outbox(database) == ["already_subscribed"]


def test_one_who_left_stays_out_until_confirming(database: Database, tokens: Tokens, sign_up: SignUp) -> None:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, "jane@example.com", status="unsubscribed")
        suppression.suppress(session, row.address_hash, Reason.UNSUBSCRIBED, NOW)
    sign_up()
    assert subscriber(database).status == Status.UNSUBSCRIBED
    assert outbox(database) == ["confirm"]


def test_one_whose_mailbox_bounced_may_confirm_anew(
    database: Database, tokens: Tokens, sign_up: SignUp
) -> None:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, "jane@example.com")
        suppression.suppress(session, row.address_hash, Reason.BOUNCED, NOW)
    sign_up()
    assert subscriber(database).status == Status.PENDING
    assert outbox(database) == ["confirm"]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.ERASED])
def test_one_who_complained_or_was_erased_causes_nothing(
    database: Database, tokens: Tokens, sign_up: SignUp, reason: Reason, known: bool
) -> None:
    with database.transaction() as session:
        if known:
            make_subscriber(session, tokens, "jane@example.com", status="unsubscribed")
        suppression.suppress(session, tokens.address_hash("jane@example.com"), reason, NOW)
    before = fingerprint(database)
    sign_up()
    assert fingerprint(database) == before


@pytest.mark.parametrize("status", ["new", "pending", "active", "unsubscribed"])
def test_many_posts_at_once_make_one_row_and_one_mail(
    database: Database, tokens: Tokens, sign_up: SignUp, status: str
) -> None:
    if status != "new":
        with database.transaction() as session:
            make_subscriber(session, tokens, "jane@example.com", status=status)
    barrier = threading.Barrier(6)

    def post() -> None:
        barrier.wait()
        sign_up()

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(subscribers(database)) == 1
    assert len(outbox(database)) == 1
    assert event_names(database) == ["requested"]
