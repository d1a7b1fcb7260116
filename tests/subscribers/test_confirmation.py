"""Confirming: by a press, once, with a genuine and living link."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.db import Database
from blog.delivery import suppression
from blog.delivery.addresses import parse
from blog.delivery.suppression import Reason
from blog.subscribers import confirmation, signup, unsubscribe
from blog.subscribers.choices import Choices
from blog.subscribers.confirmation import State, confirm, look
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Cadence, Subscriber
from blog.tokens import BadToken, Purpose, Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import event_names, events, fingerprint, subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("203.0.113.0/24")


def pending(database: Database, tokens: Tokens, status: str = "pending") -> Subscriber:
    with database.transaction() as session:
        return make_subscriber(session, tokens, status=status, cadence="monthly", topics="systems")


def press(database: Database, tokens: Tokens, token: str) -> State:
    with database.transaction() as session:
        return confirm(session, tokens, token, Act(Method.PAGE, ORIGIN, NOW), "example.org").state


def glance(database: Database, tokens: Tokens, token: str) -> State:
    with database.reading() as session:
        return look(session, tokens, token).state


def test_pressing_makes_the_subscription_active(database: Database, tokens: Tokens) -> None:
    token = confirmation.token_for(tokens, pending(database, tokens))
    assert glance(database, tokens, token) is State.ASK
    assert press(database, tokens, token) is State.CONFIRMED
    row = subscriber(database)
    assert (row.status, row.confirmed_at, row.left_at) == ("active", NOW, None)
    (event,) = events(database)
    assert (event.event, event.network, event.at) == ("confirmed", "203.0.113.0/24", NOW)
    assert event.details == {"cadence": "monthly", "topics": ["systems"]}


def test_pressing_again_is_friendly_and_changes_nothing(database: Database, tokens: Tokens) -> None:
    token = confirmation.token_for(tokens, pending(database, tokens))
    press(database, tokens, token)
    before = fingerprint(database)
    assert press(database, tokens, token) is State.ALREADY
    assert glance(database, tokens, token) is State.ALREADY
    assert fingerprint(database) == before


def test_looking_changes_nothing(database: Database, tokens: Tokens) -> None:
    token = confirmation.token_for(tokens, pending(database, tokens))
    before = fingerprint(database)
    for _ in range(20):
        glance(database, tokens, token)
    assert fingerprint(database) == before


def test_two_presses_at_once_leave_one_event(database: Database, tokens: Tokens) -> None:
    token = confirmation.token_for(tokens, pending(database, tokens))
    states: list[State] = []
    barrier = threading.Barrier(6)

    def run() -> None:
        barrier.wait()
        states.append(press(database, tokens, token))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [State.ALREADY] * 5 + [State.CONFIRMED]
    assert event_names(database) == ["confirmed"]


def test_a_link_works_for_48_hours(database: Database, tokens: Tokens) -> None:
    with time_machine.travel(NOW, tick=False):
        token = confirmation.token_for(tokens, pending(database, tokens))
    with time_machine.travel(NOW + timedelta(hours=48), tick=False):
        assert glance(database, tokens, token) is State.ASK
    with time_machine.travel(NOW + timedelta(hours=48, seconds=1), tick=False):
        assert press(database, tokens, token) is State.EXPIRED
    assert subscriber(database).status == "pending"


def test_a_newer_link_ends_the_older(database: Database, tokens: Tokens) -> None:
    old = confirmation.token_for(tokens, pending(database, tokens))
    choices = Choices(Cadence.WEEKLY, (), "UTC", "en")
    with database.transaction() as session:
        source = signup.Source(Method.FORM, ORIGIN, "example.org")
        signup.sign_up(session, parse("reader@example.org"), choices, source, tokens, NOW)
    assert press(database, tokens, old) is State.EXPIRED
    assert press(database, tokens, confirmation.token_for(tokens, subscriber(database))) is State.CONFIRMED


def test_a_used_link_does_not_bring_back_one_who_left(database: Database, tokens: Tokens) -> None:
    row = pending(database, tokens)
    token = confirmation.token_for(tokens, row)
    press(database, tokens, token)
    leave = unsubscribe.token_for(tokens, row.public_id)
    with database.transaction() as session:
        unsubscribe.unsubscribe(session, tokens, leave, Act(Method.PAGE, ORIGIN, NOW), "example.org")
    assert press(database, tokens, token) is State.EXPIRED
    assert subscriber(database).status == "unsubscribed"


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.BOUNCED])
def test_confirming_lifts_what_it_disproves(database: Database, tokens: Tokens, reason: Reason) -> None:
    row = pending(database, tokens, "unsubscribed")
    with database.transaction() as session:
        suppression.suppress(session, row.address_hash, reason, NOW)
    assert press(database, tokens, confirmation.token_for(tokens, row)) is State.CONFIRMED
    with database.reading() as session:
        assert suppression.reason_for(session, row.address_hash) is None


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.ERASED])
def test_confirming_lifts_no_complaint_and_no_erasure(
    database: Database, tokens: Tokens, reason: Reason
) -> None:
    row = pending(database, tokens)
    with database.transaction() as session:
        suppression.suppress(session, row.address_hash, reason, NOW)
    before = fingerprint(database)
    assert press(database, tokens, confirmation.token_for(tokens, row)) is State.EXPIRED
    assert fingerprint(database) == before


def test_a_link_of_somebody_who_is_gone_has_expired(database: Database, tokens: Tokens) -> None:
    token = tokens.timed(Purpose.CONFIRM, ["0" * 32, "0" * 32])
    assert press(database, tokens, token) is State.EXPIRED


def test_tokens_of_other_purposes_confirm_nothing(database: Database, tokens: Tokens) -> None:
    row = pending(database, tokens)
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES):
        assert press(database, tokens, tokens.capability(purpose, row.public_id)) is State.INVALID
        forged = tokens.timed(purpose, [row.public_id, row.nonce])
        assert press(database, tokens, forged) is State.INVALID
    assert press(database, tokens, tokens.timed(Purpose.CONFIRM, [row.public_id])) is State.INVALID


def test_a_confirmation_token_does_nothing_else(database: Database, tokens: Tokens) -> None:
    token = confirmation.token_for(tokens, pending(database, tokens))
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES):
        with pytest.raises(BadToken):
            tokens.read_capability(purpose, token)


def test_every_changed_character_makes_a_token_worthless(database: Database, tokens: Tokens) -> None:
    token = confirmation.token_for(tokens, pending(database, tokens))
    before = fingerprint(database)
    for at, character in enumerate(token):
        spoiled = token[:at] + ("A" if character != "A" else "B") + token[at + 1 :]
        # The last digit of a base64 text may stand for bits that do not count.
        if at != len(token) - 1:
            assert press(database, tokens, spoiled) is State.INVALID, at
    assert fingerprint(database) == before


@given(st.text(max_size=200))
@settings(max_examples=50)
def test_whatever_is_tried_as_a_token_is_invalid(text: str) -> None:
    tokens = Tokens((b"k" * 32,))
    assert confirmation._read(tokens, text) == confirmation.Confirmation(State.INVALID)
