"""What the operator sees of people."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from blog.cli import cli
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.report import listing, report
from blog.tokens import Tokens
from blog.web.pieces import Services
from tests.factories import make_subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)


def test_a_report_says_everything_about_one_person(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, "jane@example.com", topics="security,systems")
        origin = Origin("203.0.113.0/24", "", "1:abc")
        consent.record(session, row.id, Event.REQUESTED, Method.FORM, origin, NOW)
        consent.record(session, row.id, Event.CONFIRMED, Method.PAGE, origin, NOW)
    with database.reading() as session:
        found = report(session, tokens, " JANE@example.com")
    assert found is not None
    assert json.loads(json.dumps(found)) == {
        "email": "jane@example.com",
        "status": "active",
        "cadence": "weekly",
        "topics": ["security", "systems"],
        "language": "en",
        "paused_until": None,
        "suppressed": None,
        "consent": [
            {
                "event": event,
                "method": method,
                "at": "2025-05-30T09:00:00+00:00",
                "network": "203.0.113.0/24",
                "wording": "1:abc",
                "details": {},
            }
            for event, method in (("requested", "form"), ("confirmed", "page"))
        ],
    }


@pytest.mark.parametrize("email", ["nobody@example.com", "no address"])
def test_of_an_unknown_address_there_is_no_report(database: Database, tokens: Tokens, email: str) -> None:
    with database.reading() as session:
        assert report(session, tokens, email) is None


def test_of_an_erased_address_only_that_is_known(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        suppression.suppress(session, tokens.address_hash("jane@example.com"), Reason.ERASED, NOW)
        found = report(session, tokens, "jane@example.com")
    assert found == {
        "email": "jane@example.com",
        "status": "erased",
        "cadence": None,
        "topics": [],
        "paused_until": None,
        "suppressed": {"reason": "erased", "since": "2025-05-30T09:00:00+00:00"},
        "consent": [],
    }


def test_a_list_is_by_public_status_and_by_pages(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        for number in range(3):
            make_subscriber(session, tokens, f"reader{number}@example.org")
        bounced = make_subscriber(session, tokens, "bounced@example.org")
        suppression.suppress(session, bounced.address_hash, Reason.BOUNCED, NOW)
        left = make_subscriber(session, tokens, "left@example.org", status="unsubscribed")
        suppression.suppress(session, left.address_hash, Reason.UNSUBSCRIBED, NOW)
    with database.reading() as session:
        assert [row["email"] for row in listing(session, "bounced", 10)] == ["bounced@example.org"]
        assert [row["email"] for row in listing(session, "unsubscribed", 10)] == ["left@example.org"]
        first = listing(session, "active", 2)
        assert [row["email"] for row in first] == ["reader0@example.org", "reader1@example.org"]
        rest = listing(session, "active", 2, after_id=first[-1]["id"])
        assert [row["email"] for row in rest] == ["reader2@example.org"]
        assert [row["status"] for row in listing(session, None, 10)] == [
            *["active"] * 3, "bounced", "unsubscribed",
        ]  # fmt: skip


def test_the_command_tells_the_whole_record_with_what_came_along(
    database: Database, tokens: Tokens, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blog.cli.subscribers.open_services", lambda: services)
    origin = Origin("203.0.113.0/24", "", "1:abc")
    earlier = [{"event": "confirmed", "method": "page", "at": "2020-01-01T00:00:00+00:00", "details": {}}]
    told = {"evidence": "the old machine", "record": earlier}
    with database.transaction() as session:
        row = make_subscriber(session, tokens, "jane@example.com", status="unsubscribed", topics="systems")
        consent.record(session, row.id, Event.IMPORTED, Method.IMPORT, Origin(""), NOW, told)
        chosen = {"cadence": "weekly", "topics": []}
        consent.record(session, row.id, Event.CHANGED, Method.PAGE, origin, NOW, chosen)
        suppression.suppress(session, row.address_hash, Reason.UNSUBSCRIBED, NOW)
    result = CliRunner().invoke(cli, ["subscribers", "show", "jane@example.com"])
    assert result.output.splitlines() == [
        "jane@example.com: unsubscribed, weekly, systems",
        "  not mailed since 2025-05-30T09:00:00+00:00: unsubscribed",
        "  2025-05-30T09:00:00+00:00  imported (import; evidence: the old machine)",
        "    | 2020-01-01T00:00:00+00:00  confirmed (page)",
        "  2025-05-30T09:00:00+00:00  changed (page; from 203.0.113.0/24; shown 1:abc; "
        "cadence: weekly; topics: all)",
    ]
