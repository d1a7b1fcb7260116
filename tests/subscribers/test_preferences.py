"""Preferences: only the subscriber changes them, and only while subscribed."""

from datetime import UTC, datetime

import pytest

from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import preferences, unsubscribe
from blog.subscribers.consent import Origin
from blog.subscribers.models import Cadence, Subscriber
from blog.tokens import BadToken, Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import events, fingerprint, subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("203.0.113.0/24", "", "1:abc")


def make(database: Database, tokens: Tokens, status: str = "active") -> tuple[Subscriber, str]:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, status=status)
    return row, preferences.token_for(tokens, row.public_id)


def change(
    database: Database, tokens: Tokens, token: str, cadence: Cadence, *topics: str
) -> Subscriber | None:
    with database.transaction() as session:
        return preferences.change(session, tokens, token, cadence, topics, ORIGIN, NOW)


def test_a_change_is_stored_and_recorded(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    assert change(database, tokens, token, Cadence.MONTHLY, "security", "systems") is not None
    row = subscriber(database)
    assert (row.cadence, row.topics) == ("monthly", "security,systems")
    (event,) = events(database)
    assert (event.event, event.wording) == ("changed", "1:abc")
    assert event.details == {"cadence": "monthly", "topics": ["security", "systems"]}


def test_saving_without_a_change_records_nothing(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    assert change(database, tokens, token, Cadence.WEEKLY) is not None
    assert events(database) == []


@pytest.mark.parametrize("status", ["pending", "unsubscribed"])
def test_nobody_else_has_preferences(database: Database, tokens: Tokens, status: str) -> None:
    _, token = make(database, tokens, status)
    before = fingerprint(database)
    assert change(database, tokens, token, Cadence.MONTHLY) is None
    with database.reading() as session:
        assert preferences.read(session, tokens, token) is None
    assert fingerprint(database) == before


def test_a_suppressed_address_has_none_either(database: Database, tokens: Tokens) -> None:
    row, token = make(database, tokens)
    with database.transaction() as session:
        suppression.suppress(session, row.address_hash, Reason.COMPLAINED, NOW)
    assert change(database, tokens, token, Cadence.MONTHLY) is None


def test_reading_changes_nothing(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    before = fingerprint(database)
    with database.reading() as session:
        assert preferences.read(session, tokens, token) is not None
    assert fingerprint(database) == before


def test_an_unsubscribe_link_opens_no_preferences(database: Database, tokens: Tokens) -> None:
    row, _ = make(database, tokens)
    with pytest.raises(BadToken):
        change(database, tokens, unsubscribe.token_for(tokens, row.public_id), Cadence.MONTHLY)


def test_a_link_of_somebody_who_is_gone_opens_nothing(database: Database, tokens: Tokens) -> None:
    assert change(database, tokens, preferences.token_for(tokens, "0" * 32), Cadence.MONTHLY) is None
