"""The audience: active, of this cadence, and on no list."""

from datetime import UTC, datetime

import pytest

from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers.audience import audience, public_status
from blog.subscribers.models import Cadence, Status
from blog.tokens import Tokens
from tests.factories import make_subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)


def test_only_active_subscribers_of_the_cadence_are_mailed(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        make_subscriber(session, tokens, "weekly@example.org", topics="systems", now=NOW)
        make_subscriber(session, tokens, "monthly@example.org", cadence="monthly")
        make_subscriber(session, tokens, "pending@example.org", status="pending")
        make_subscriber(session, tokens, "left@example.org", status="unsubscribed")
    with database.reading() as session:
        (row,) = session.execute(audience(Cadence.WEEKLY, NOW)).all()
    assert list(row._mapping) == [
        "id",
        "public_id",
        "address",
        "address_hash",
        "topics",
        "confirmed_at",
        "language",
    ]
    assert (row.address, row.topics, row.confirmed_at) == ("weekly@example.org", "systems", NOW)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_suppressed_address_is_never_mailed(database: Database, tokens: Tokens, reason: Reason) -> None:
    with database.transaction() as session:
        row = make_subscriber(session, tokens)
        suppression.suppress(session, row.address_hash, reason, NOW)
    with database.reading() as session:
        assert session.execute(audience(Cadence.WEEKLY, NOW)).all() == []


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        ("active", None, Status.ACTIVE),
        ("pending", None, Status.PENDING),
        ("active", Reason.BOUNCED, Status.BOUNCED),
        ("unsubscribed", Reason.UNSUBSCRIBED, Status.UNSUBSCRIBED),
        ("unsubscribed", Reason.COMPLAINED, Status.COMPLAINED),
        ("pending", Reason.ERASED, Status.ERASED),
    ],
)
def test_the_stronger_word_is_shown(
    database: Database, tokens: Tokens, status: str, reason: Reason | None, shown: Status
) -> None:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, status=status)
        if reason:
            suppression.suppress(session, row.address_hash, reason, NOW)
        assert public_status(session, row) is shown
