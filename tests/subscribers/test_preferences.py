"""Preferences: only the subscriber changes them, and only while subscribed."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import preferences, unsubscribe
from blog.subscribers.audience import audience
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Cadence, Subscriber
from blog.subscribers.preferences import Wishes
from blog.tokens import BadToken, Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import events, fingerprint, subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ACT = Act(Method.PAGE, Origin("203.0.113.0/24", "", "1:abc"), NOW)


def make(database: Database, tokens: Tokens, status: str = "active") -> tuple[Subscriber, str]:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, status=status)
    return row, preferences.token_for(tokens, row.public_id)


def change(
    database: Database, tokens: Tokens, token: str, cadence: Cadence, *topics: str
) -> Subscriber | None:
    with database.transaction() as session:
        return preferences.change(session, tokens, token, Wishes(cadence, topics, "Europe/Berlin"), ACT)


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


def test_a_pause_is_recorded_moved_and_ended(database: Database, tokens: Tokens) -> None:
    _, token = make(database, tokens)
    for until in (NOW + timedelta(days=9), NOW + timedelta(days=9), NOW + timedelta(days=20), None, None):
        wishes = Wishes(Cadence.WEEKLY, (), "Europe/Berlin", until)
        with database.transaction() as session:
            changed = preferences.change(session, tokens, token, wishes, ACT)
        assert changed is not None
        assert changed.paused_until == until
    assert [(event.event, event.details) for event in events(database)] == [
        ("paused", {"until": "2025-06-08"}),
        ("paused", {"until": "2025-06-19"}),
        ("resumed", {}),
    ]


def test_nothing_is_sent_before_the_pause_is_over(database: Database, tokens: Tokens) -> None:
    row, _ = make(database, tokens)
    until = NOW + timedelta(days=9)
    with database.transaction() as session:
        session.get_one(Subscriber, row.id).paused_until = until
    with database.reading() as session:
        assert session.execute(audience(Cadence.WEEKLY, until - timedelta(seconds=1))).all() == []
        assert len(session.execute(audience(Cadence.WEEKLY, until)).all()) == 1


def test_the_page_takes_a_day_and_a_time_zone(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    _, token = make(database, tokens)
    path = f"/preferences/{token}"
    form = {"cadence": "weekly", "timezone": "Asia/Tokyo"}
    with time_machine.travel(NOW, tick=False):
        saved = client.post(path, data={**form, "paused_until": "2025-06-08"})
        assert "Nothing is sent before June 8, 2025" in saved.text
        assert 'value="2025-06-08"' in client.get(path).text
        assert subscriber(database).paused_until == datetime(2025, 6, 7, 15, 0, tzinfo=UTC)
        assert subscriber(database).timezone == "Asia/Tokyo"
        for day in ("2025-05-30", "2026-06-30", "9999-12-31", "soon", "0000-00-00"):
            refused = client.post(path, data={**form, "paused_until": day})
            assert refused.status_code == 422
            assert "from tomorrow to a year" in refused.text
        assert client.post(path, data={**form, "timezone": "Mars/Base"}).status_code == 422
        wrong = {
            "cadence": "monthly",
            "topics": "systems",
            "timezone": "Asia/Oral",
            "paused_until": '2020-02-02">',
        }
        shown = client.post(path, data=wrong).text
        for kept in (
            'value="monthly" checked',
            'value="systems" checked',
            "<option selected>Asia/Oral",
            'value="2020-02-02"',
        ):
            assert kept in shown, "what was chosen is not to be chosen again"
        assert "paused_until" in client.post(path, data=form).text
    assert subscriber(database).paused_until is None
