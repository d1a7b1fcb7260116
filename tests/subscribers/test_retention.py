"""Forgetting those who never confirmed."""

from datetime import UTC, datetime, timedelta

from blog.db import Database
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import Subscriber
from blog.subscribers.retention import forget_unconfirmed
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import events, subscribers

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
WEEK_AGO = NOW - timedelta(days=7, seconds=1)


def make(database: Database, tokens: Tokens, email: str, **changes: object) -> None:
    with database.transaction() as session:
        row: Subscriber = make_subscriber(session, tokens, email, status="pending", now=WEEK_AGO)
        row.confirm_mailed_at = WEEK_AGO
        for name, value in changes.items():
            setattr(row, name, value)
        consent.record(session, row.id, Event.REQUESTED, Method.FORM, Origin(""), WEEK_AGO)


def test_who_never_confirmed_is_forgotten_after_a_week(database: Database, tokens: Tokens) -> None:
    make(database, tokens, "old@example.org")
    make(database, tokens, "asked-again@example.org", confirm_mailed_at=NOW)
    make(database, tokens, "active@example.org", status="active", confirmed_at=WEEK_AGO)
    make(database, tokens, "was-active@example.org", confirmed_at=WEEK_AGO)
    make(database, tokens, "left@example.org", status="unsubscribed")
    with database.transaction() as session:
        assert forget_unconfirmed(session, NOW) == 1
        assert forget_unconfirmed(session, NOW) == 0
    left = [row.email for row in subscribers(database)]
    assert left == [
        "asked-again@example.org",
        "active@example.org",
        "was-active@example.org",
        "left@example.org",
    ]
    assert len(events(database)) == 4
