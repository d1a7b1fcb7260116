"""Taking a departure back: once, by who pressed or by the mailbox's owner, and never by an old digest."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from blog import clock
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import unsubscribe
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Subscriber
from blog.tokens import BadToken, ExpiredToken, Purpose, Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import event_names, fingerprint, outbox, subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("203.0.113.0/24")
DOMAIN = "example.org"


def act(now: datetime = NOW) -> Act:
    return Act(Method.PAGE, ORIGIN, now)


def make(database: Database, tokens: Tokens, status: str = "active") -> str:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, "jane@example.com", status=status, now=clock.now())
    return unsubscribe.token_for(tokens, row.public_id)


def leave(database: Database, tokens: Tokens, token: str, now: datetime = NOW) -> Subscriber:
    with database.transaction() as session:
        left = unsubscribe.unsubscribe(session, tokens, token, act(now), DOMAIN)
    assert left is not None
    return left


def restore(database: Database, tokens: Tokens, token: str) -> Subscriber | None:
    with database.transaction() as session:
        return unsubscribe.restore(session, tokens, token, act())


def test_leaving_sends_one_receipt_a_day(database: Database, tokens: Tokens) -> None:
    token = make(database, tokens)
    for _ in range(3):
        back = unsubscribe.restore_token(tokens, leave(database, tokens, token))
        restore(database, tokens, back)
    assert outbox(database) == ["left"]
    leave(database, tokens, token, NOW + timedelta(days=1))
    assert outbox(database) == ["left", "left"]


def test_one_click_in_the_owners_own_mail_program_needs_no_receipt(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    client.post(f"/unsubscribe/{make(database, tokens)}", data={"List-Unsubscribe": "One-Click"})
    assert subscriber(database).status == "unsubscribed"
    assert outbox(database) == []


def test_one_who_never_confirmed_gets_no_receipt_and_no_way_back(database: Database, tokens: Tokens) -> None:
    left = leave(database, tokens, make(database, tokens, "pending"))
    assert outbox(database) == []
    assert unsubscribe.offered_token(tokens, left, NOW) == ""
    assert restore(database, tokens, unsubscribe.restore_token(tokens, left)) is None
    assert subscriber(database).status == "unsubscribed"


def test_a_departure_is_taken_back_once(database: Database, tokens: Tokens) -> None:
    token = make(database, tokens)
    undo = unsubscribe.restore_token(tokens, leave(database, tokens, token))
    assert restore(database, tokens, undo) is not None
    row = subscriber(database)
    assert (row.status, row.left_at) == ("active", None)
    with database.reading() as session:
        assert suppression.reason_for(session, row.address_hash) is None
    leave(database, tokens, token)
    assert restore(database, tokens, undo) is None, "a used link brings nobody back"
    assert event_names(database) == ["withdrawn", "restored", "withdrawn"]


@pytest.mark.parametrize("reason", [Reason.BOUNCED, Reason.COMPLAINED, Reason.ERASED])
def test_nothing_brings_back_whose_mailbox_said_no(
    database: Database, tokens: Tokens, reason: Reason
) -> None:
    left = leave(database, tokens, make(database, tokens))
    with database.transaction() as session:
        suppression.suppress(session, left.address_hash, reason, NOW)
    before = fingerprint(database)
    assert restore(database, tokens, unsubscribe.restore_token(tokens, left)) is None
    assert fingerprint(database) == before


def test_the_way_back_closes_after_thirty_days(database: Database, tokens: Tokens) -> None:
    undo = unsubscribe.restore_token(tokens, leave(database, tokens, make(database, tokens)))
    with time_machine.travel(clock.now() + timedelta(days=31)), pytest.raises(ExpiredToken):
        restore(database, tokens, undo)


def test_an_old_digest_ends_mail_and_never_begins_it(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    token = make(database, tokens)
    first = client.post(f"/unsubscribe/{token}")
    assert 'action="/restore/' in first.text
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        for again in (client.post(f"/unsubscribe/{token}"), client.get(f"/unsubscribe/{token}")):
            assert again.status_code == 200
            assert "/restore/" not in again.text
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES):
        wrong = tokens.capability(purpose, subscriber(database).public_id)
        assert client.post(f"/restore/{wrong}").status_code == 404
        with pytest.raises(BadToken):
            restore(database, tokens, wrong)
    assert subscriber(database).status == "unsubscribed"


def test_the_page_takes_it_back_by_its_button(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    answer = client.post(f"/unsubscribe/{make(database, tokens)}")
    path = answer.text.partition('action="')[2].partition('"')[0]
    assert "Back on the list?" in client.get(path).text
    assert subscriber(database).status == "unsubscribed", "looking changes nothing"
    assert "You are back" in client.post(path).text
    assert subscriber(database).status == "active"
    assert "nothing to take back" in client.post(path).text
    with time_machine.travel(clock.now() + timedelta(days=40)):
        assert client.get(path).status_code == 410


def test_less_often_is_offered_and_keeps_the_subscription(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    token = make(database, tokens)
    assert "Once a month instead" in client.get(f"/unsubscribe/{token}").text
    answer = client.post(f"/unsubscribe/{token}", data={"instead": "monthly"})
    assert "Once a month it is" in answer.text
    assert (subscriber(database).status, subscriber(database).cadence) == ("active", "monthly")
    assert event_names(database) == ["changed"]
    client.post(f"/unsubscribe/{token}")
    gone = client.post(f"/unsubscribe/{token}", data={"instead": "monthly"})
    assert "You are unsubscribed" in gone.text
    assert subscriber(database).status == "unsubscribed"
