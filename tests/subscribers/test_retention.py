"""Reminding once, and forgetting, those who never confirmed."""

import threading
from datetime import UTC, datetime, timedelta

from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import Subscriber
from blog.subscribers.retention import forget_unconfirmed, remind
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import events, outbox, subscribers

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
MONTH_AGO = NOW - timedelta(days=30, seconds=1)


def make(database: Database, tokens: Tokens, email: str, **changes: object) -> None:
    with database.transaction() as session:
        row: Subscriber = make_subscriber(session, tokens, email, status="pending", now=MONTH_AGO)
        row.confirm_mailed_at = MONTH_AGO
        for name, value in changes.items():
            setattr(row, name, value)
        consent.record(session, row.id, Event.REQUESTED, Method.FORM, Origin(""), MONTH_AGO)


def test_who_never_confirmed_is_forgotten_after_a_month(database: Database, tokens: Tokens) -> None:
    make(database, tokens, "old@example.org")
    make(database, tokens, "asked-again@example.org", confirm_mailed_at=NOW)
    make(database, tokens, "active@example.org", status="active", confirmed_at=MONTH_AGO)
    make(database, tokens, "was-active@example.org", confirmed_at=MONTH_AGO)
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


def waiting(database: Database, tokens: Tokens, email: str, **changes: object) -> None:
    asked = NOW - timedelta(days=4)
    make(database, tokens, email, **{"created_at": asked, "confirm_mailed_at": asked, **changes})


def test_who_has_not_answered_is_reminded_once(database: Database, tokens: Tokens) -> None:
    waiting(database, tokens, "jane@example.org")
    waiting(database, tokens, "just-now@example.org", confirm_mailed_at=NOW)
    waiting(database, tokens, "left@example.org", status="unsubscribed")
    waiting(database, tokens, "active@example.org", status="active", confirmed_at=NOW)
    waiting(database, tokens, "nearly-gone@example.org", created_at=MONTH_AGO)
    with database.transaction() as session:
        assert remind(session, "example.org", NOW) == 1
    assert outbox(database) == ["reminder"]
    with database.transaction() as session:
        assert remind(session, "example.org", NOW + timedelta(days=20)) == 1, "just-now, by then"
        assert remind(session, "example.org", NOW + timedelta(days=20)) == 0
    assert outbox(database) == ["reminder", "reminder"]


def test_one_who_complained_about_the_first_mail_gets_no_reminder(database: Database, tokens: Tokens) -> None:
    waiting(database, tokens, "jane@example.org")
    with database.transaction() as session:
        suppression.suppress(session, tokens.address_hash("jane@example.org"), Reason.COMPLAINED, NOW)
        assert remind(session, "example.org", NOW) == 0
    assert outbox(database) == []


def test_two_workers_at_once_remind_and_forget_once(database: Database, tokens: Tokens) -> None:
    for number in range(20):
        waiting(database, tokens, f"reader{number}@example.org")
        make(database, tokens, f"old{number}@example.org", reminded_at=NOW)
    barrier, forgotten = threading.Barrier(4), []

    def tidy() -> None:
        barrier.wait()
        with database.transaction() as session:
            remind(session, "example.org", NOW)
            forgotten.append(forget_unconfirmed(session, NOW))

    threads = [threading.Thread(target=tidy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox(database) == ["reminder"] * 20
    assert sum(forgotten) == 20
    assert len(subscribers(database)) == 20
