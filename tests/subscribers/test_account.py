"""What needs a fresh link: taking one's data away, moving, being erased; each once, and from the mailbox."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import literal, select

from blog import clock
from blog.db import Database
from blog.delivery import ledger, recording, suppression
from blog.delivery.models import Delivery
from blog.delivery.states import Owner
from blog.delivery.suppression import Reason
from blog.subscribers import account, confirmation, moving, preferences, privacy, unsubscribe
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import AddressChange, Subscriber
from blog.subscribers.moving import Outcome
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.mailings import TEMPLATE
from tests.subscribers.rows import event_names, fingerprint, outbox, subscriber, subscribers

LINK = "a" * 32
OWNER = Owner("host/0", "host/0/run")


def make(database: Database, tokens: Tokens, email: str = "jane@example.com", status: str = "active") -> str:
    """Return the path of a fresh account link."""
    with database.transaction() as session:
        row = make_subscriber(session, tokens, email, status=status)
        row.account_nonce = LINK
    return f"/account/{account.token_for(tokens, row)}"


def change_of(database: Database) -> AddressChange:
    with database.reading() as session:
        return session.query(AddressChange).one()


def test_a_link_is_mailed_only_to_the_address_on_record_and_only_so_often(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    make(database, tokens)
    path = f"/preferences/{preferences.token_for(tokens, subscriber(database).public_id)}"
    for _ in range(3):
        answer = client.post(path, data={"do": "link"})
        assert "Check your inbox" in answer.text
        assert "jane@" not in answer.text
        assert "/account/" not in answer.text, "whoever holds a digest gets no link"
    assert subscriber(database).account_nonce != LINK
    assert "enough mail" in client.post(path, data={"do": "link"}).text
    assert outbox(database) == ["account"] * 3


def test_a_download_holds_everything_and_works_once(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    path = make(database, tokens)
    assert "Download my data" in client.get(path).text
    answer = client.post(path, data={"do": "download"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    data = answer.get_json()
    assert (data["email"], data["status"], data["timezone"]) == (
        "jane@example.com",
        "active",
        "Europe/Berlin",
    )
    again = client.post(path, data={"do": "download"})
    assert again.mimetype == "text/html"
    assert "done its work" in again.text


def test_two_presses_at_once_use_a_link_once(database: Database, tokens: Tokens) -> None:
    token = make(database, tokens).rpartition("/")[2]
    barrier, used = threading.Barrier(6), []

    def press() -> None:
        barrier.wait()
        with database.transaction() as session:
            used.append(account.use(session, tokens, token) is not None)

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(used) == [False] * 5 + [True]


@pytest.mark.parametrize("form", [{}, {"do": ""}, {"do": "everything"}])
def test_anything_else_is_refused(
    client: FlaskClient, database: Database, tokens: Tokens, form: dict[str, str]
) -> None:
    path = make(database, tokens)
    before = fingerprint(database)
    assert client.post(path, data=form).status_code == 422
    assert fingerprint(database) == before


def test_erasing_needs_the_tick(client: FlaskClient, database: Database, tokens: Tokens) -> None:
    path = make(database, tokens)
    assert "This cannot be undone" in client.post(path, data={"do": "erase"}).text
    assert subscriber(database).email == "jane@example.com"
    assert "You have been erased" in client.post(path, data={"do": "erase", "sure": "yes"}).text
    assert (subscriber(database).email, subscriber(database).status) == ("", "erased")
    assert event_names(database) == ["erased"]


def test_links_of_other_purposes_and_old_ones_open_nothing(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    path = make(database, tokens)
    row = subscriber(database)
    before = fingerprint(database)
    for token in (
        unsubscribe.token_for(tokens, row.public_id),
        preferences.token_for(tokens, row.public_id),
        confirmation.token_for(tokens, row),
        unsubscribe.restore_token(tokens, row),
    ):
        assert client.get(f"/account/{token}").status_code == 404
        for form in ({"do": "download"}, {"do": "erase", "sure": "yes"}, {"do": "move", "email": "e@e.org"}):
            assert client.post(f"/account/{token}", data=form).status_code == 404
    with time_machine.travel(clock.now() + timedelta(minutes=61)):
        assert client.get(path).status_code == 410
        assert client.post(path, data={"do": "erase", "sure": "yes"}).status_code == 410
    other = Tokens((b"z" * 32,))
    assert client.get(f"/account/{account.token_for(other, row)}").status_code == 404
    assert (
        client.post(path, data={"do": "download"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code
        == 403
    )
    assert fingerprint(database) == before


def test_leaving_makes_an_open_link_worthless(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    path = make(database, tokens)
    client.post(f"/unsubscribe/{unsubscribe.token_for(tokens, subscriber(database).public_id)}")
    assert "done its work" in client.get(path).text


def test_moving_asks_the_new_mailbox_and_tells_the_old_one(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    path = make(database, tokens)
    mistyped = client.post(path, data={"do": "move", "email": 'jane@"'})
    assert mistyped.status_code == 422
    assert 'value="jane@&#34;"' in mistyped.text, "to be mended, not typed again"
    answer = client.post(path, data={"do": "move", "email": "Jane.New@Example.org"})
    assert "Check your new inbox" in answer.text
    assert subscriber(database).email == "jane@example.com", "nothing has moved yet"
    link = f"/move/{moving.token_for(tokens, change_of(database))}"
    assert "Yes, send it here" in client.get(link).text
    assert subscriber(database).email == "jane@example.com"
    assert "has moved" in client.post(link).text
    row = subscriber(database)
    assert (row.email, row.address_key) == ("Jane.New@example.org", "jane.new@example.org")
    assert row.address_hash == tokens.address_hash("jane.new@example.org")
    assert client.post(link).status_code == 200
    assert event_names(database) == ["moved"]
    assert outbox(database) == ["move", "moved"]
    with time_machine.travel(clock.now() + timedelta(hours=49)):
        assert client.get(link).status_code == 410
    assert client.get("/move/x-y").status_code == 404


@pytest.mark.parametrize(("status", "outcome"), [("active", Outcome.TAKEN), ("pending", Outcome.DONE)])
def test_an_address_with_a_subscription_of_its_own_is_not_taken_over(
    client: FlaskClient, database: Database, tokens: Tokens, status: str, outcome: Outcome
) -> None:
    path = make(database, tokens)
    with database.transaction() as session:
        make_subscriber(session, tokens, "taken@example.org", status=status)
    client.post(path, data={"do": "move", "email": "taken@example.org"})
    answer = client.post(f"/move/{moving.token_for(tokens, change_of(database))}")
    assert ("subscribed already" in answer.text) is (outcome is Outcome.TAKEN)
    assert len(subscribers(database)) == (2 if outcome is Outcome.TAKEN else 1)


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.ERASED])
def test_an_address_that_must_not_be_mailed_is_not_asked(
    client: FlaskClient, database: Database, tokens: Tokens, reason: Reason
) -> None:
    path = make(database, tokens)
    with database.transaction() as session:
        suppression.suppress(session, tokens.address_hash("no@example.org"), reason, clock.now())
    answer = client.post(path, data={"do": "move", "email": "no@example.org"})
    assert "Check your new inbox" in answer.text
    assert outbox(database) == []


def test_what_moved_away_is_forgotten_after_a_week(database: Database, tokens: Tokens) -> None:
    make(database, tokens)
    now = datetime(2025, 5, 30, tzinfo=UTC)
    with database.transaction() as session:
        person = session.query(Subscriber).one()
        session.add(
            AddressChange(
                subscriber_id=person.id, nonce="b" * 32, old_address="a@example.org", email="b@example.org",
                address="b@example.org", address_key="b@example.org", address_hash="c" * 64, created_at=now,
            )
        )  # fmt: skip
    with database.transaction() as session:
        assert moving.forget_old(session, now + timedelta(days=6)) == 0
        assert moving.forget_old(session, now + timedelta(days=8)) == 1


def planned(database: Database) -> list[tuple[str, str, str]]:
    """Plan two digests for everybody; leave the first one claimed by a sender, the second one untouched."""
    now = clock.now()
    with database.transaction() as session:
        for _ in range(2):
            mailing = ledger.open_mailing(session, "digest", "bounces@example.org", now)
            variant = ledger.add_variant(session, mailing, "all", TEMPLATE)
            person = (Subscriber.id, Subscriber.public_id, Subscriber.address, Subscriber.address_hash)
            columns = (*person, literal(variant), literal(now, Delivery.next_at.type))
            ledger.plan(session, mailing, select(*columns), "example.org", now)
        assert len(ledger.claim(session, 1, OWNER, 1, now)[0]) == 1
    return deliveries(database)


def deliveries(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as session:
        rows = select(Delivery.address, Delivery.state, Delivery.message_id).order_by(Delivery.id)
        return [(address, state, message_id) for address, state, message_id in session.execute(rows)]


def test_a_planned_digest_follows_whoever_moves_and_one_in_hand_does_not(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    path = make(database, tokens)
    before = planned(database)
    client.post(path, data={"do": "move", "email": "new@example.org"})
    assert deliveries(database) == before, "nothing has moved before the new mailbox agrees"
    client.post(f"/move/{moving.token_for(tokens, change_of(database))}")
    assert [(address, state) for address, state, _ in deliveries(database)] == [
        ("jane@example.com", "claimed"),
        ("new@example.org", "planned"),
    ]
    assert [row[2] for row in deliveries(database)] == [row[2] for row in before], "still the same messages"


@pytest.mark.parametrize("leaving", ["unsubscribe", "erase"])
def test_who_moves_and_leaves_at_once_is_mailed_at_neither_address(
    client: FlaskClient, database: Database, tokens: Tokens, leaving: str
) -> None:
    path = make(database, tokens)
    planned(database)
    client.post(path, data={"do": "move", "email": "new@example.org"})
    client.post(f"/move/{moving.token_for(tokens, change_of(database))}")
    with database.transaction() as session:
        person = session.query(Subscriber).one()
        if leaving == "erase":
            privacy.erase(session, person, Act(Method.PAGE, Origin(""), clock.now()))
        else:
            token = unsubscribe.token_for(tokens, person.public_id)
            act = Act(Method.PAGE, Origin(""), clock.now())
            unsubscribe.unsubscribe(session, tokens, token, act, "example.org")
    with database.transaction() as session:
        assert recording.record(session, OWNER, [], [1], clock.now()) == set()
        assert ledger.claim(session, 2, OWNER, 5, clock.now())[0] == []
    assert {state for _, state, _ in deliveries(database)} == {"skipped"}
