"""Leaving: at once, for good, as often as one likes, and with nothing but the link."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import unsubscribe
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Subscriber
from blog.tokens import BadToken, Purpose, Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import event_names, events, fingerprint, subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("203.0.113.0/24")


def leave(database: Database, tokens: Tokens, token: str) -> Subscriber | None:
    with database.transaction() as session:
        return unsubscribe.unsubscribe(
            session, tokens, token, Act(Method.ONE_CLICK, ORIGIN, NOW), "example.org"
        )


def make(database: Database, tokens: Tokens, status: str = "active") -> tuple[Subscriber, str]:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, status=status)
    return row, unsubscribe.token_for(tokens, row.public_id)


@pytest.mark.parametrize("status", ["active", "pending"])
def test_leaving_is_recorded_and_the_address_is_suppressed(
    database: Database, tokens: Tokens, status: str
) -> None:
    before, token = make(database, tokens, status)
    leave(database, tokens, token)
    row = subscriber(database)
    assert (row.status, row.left_at) == ("unsubscribed", NOW)
    assert row.nonce != before.nonce
    with database.reading() as session:
        assert suppression.reason_for(session, row.address_hash) is Reason.UNSUBSCRIBED
    (event,) = events(database)
    assert (event.event, event.method) == ("withdrawn", "one-click")


def test_leaving_twice_is_fine_and_recorded_once(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    leave(database, tokens, token)
    before = fingerprint(database)
    assert leave(database, tokens, token) is not None
    assert fingerprint(database) == before
    assert event_names(database) == ["withdrawn"]


def test_a_link_of_somebody_who_is_gone_is_fine_too(database: Database, tokens: Tokens) -> None:
    assert leave(database, tokens, unsubscribe.token_for(tokens, "0" * 32)) is None


def test_looking_changes_nothing(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    before = fingerprint(database)
    with database.reading() as session:
        assert unsubscribe.look(session, tokens, token) is not None
    assert fingerprint(database) == before


def test_a_bounce_is_not_forgotten_by_leaving(database: Database, tokens: Tokens) -> None:
    row, token = make(database, tokens)
    with database.transaction() as session:
        suppression.suppress(session, row.address_hash, Reason.BOUNCED, NOW)
    leave(database, tokens, token)
    with database.reading() as session:
        assert suppression.reason_for(session, row.address_hash) is Reason.BOUNCED


def test_a_link_works_years_later_and_under_a_new_key(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    rotated = Tokens((b"n" * 32, *tokens.keys))
    with time_machine.travel(NOW + timedelta(days=5 * 365)):
        leave(database, rotated, token)
    assert subscriber(database).status == "unsubscribed"


def test_every_changed_character_makes_a_link_worthless(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    for at, character in enumerate(token):
        spoiled = token[:at] + ("A" if character != "A" else "B") + token[at + 1 :]
        with pytest.raises(BadToken):
            leave(database, tokens, spoiled)
    assert subscriber(database).status == "active"


def test_links_of_other_purposes_end_nothing(database: Database, tokens: Tokens) -> None:
    row, _ = make(database, tokens)
    for token in (
        tokens.capability(Purpose.PREFERENCES, row.public_id),
        tokens.timed(Purpose.UNSUBSCRIBE, [row.public_id]),
        tokens.timed(Purpose.CONFIRM, [row.public_id, row.nonce]),
        row.public_id,
        "",
    ):
        with pytest.raises(BadToken):
            leave(database, tokens, token)
    assert subscriber(database).status == "active"
