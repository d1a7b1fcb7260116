"""Importing: adds people with evidence, and never brings back somebody who left."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from blog.content.values import Site
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import peers
from blog.subscribers.admission import Source
from blog.subscribers.importing import ImportResult, Reading, import_rows, store
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import events, fingerprint, subscriber, subscribers

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)


def run(database: Database, tokens: Tokens, site: Site, *rows: Mapping[str, str]) -> ImportResult:
    with database.transaction() as session:
        return import_rows(session, tokens, site, rows, "paper forms, May 2025", NOW)


def test_a_person_is_added_with_choices_and_evidence(database: Database, tokens: Tokens, site: Site) -> None:
    row = {
        "email": "Jane@Example.com",
        "cadence": "monthly",
        "topics": "systems; security",
        "timezone": "Asia/Tokyo",
        "confirmed_at": "2024-01-02T03:04:05Z",
    }
    result = run(database, tokens, site, row)
    assert (result.added, result.updated, result.skipped, result.problems) == (1, 0, 0, [])
    person = subscriber(database)
    assert (person.status, person.cadence, person.topics) == ("active", "monthly", "security,systems")
    assert (person.timezone, person.confirmed_at) == (
        "Asia/Tokyo",
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    (event,) = events(database)
    assert (event.event, event.method, event.at) == ("imported", "import", NOW)
    assert event.details["evidence"] == "paper forms, May 2025"


def test_an_address_alone_is_enough(database: Database, tokens: Tokens, site: Site) -> None:
    assert run(database, tokens, site, {"Email ": " jane@example.com "}).added == 1
    person = subscriber(database)
    assert (person.cadence, person.topics, person.timezone) == ("weekly", "", "Europe/Berlin")
    assert person.confirmed_at == NOW


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"email": "jane"}, "incomplete"),
        ({}, "incomplete"),
        ({"email": "jane@example.com", "cadence": "hourly"}, "how often"),
        ({"email": "jane@example.com", "topics": "gossip"}, "does not exist"),
        ({"email": "jane@example.com", "timezone": "Mars/Base"}, "time zone"),
        ({"email": "jane@example.com", "language": "klingon" * 9}, "language"),
        ({"email": "jane@example.com", "confirmed_at": "yesterday"}, "not a date"),
        ({"email": "jane@example.com", "confirmed_at": "2999-01-01"}, "future"),
    ],
)
def test_a_bad_line_is_reported_and_stops_nobody_else(
    database: Database, tokens: Tokens, site: Site, row: dict[str, str], reason: str
) -> None:
    result = run(database, tokens, site, {"email": "first@example.com"}, row, {"email": "last@example.com"})
    assert result.added == 2
    ((line, said),) = result.problems
    assert line == 3
    assert reason in said


@pytest.mark.parametrize("reason", list(Reason))
def test_an_import_never_brings_back_a_suppressed_address(
    database: Database, tokens: Tokens, site: Site, reason: Reason
) -> None:
    with database.transaction() as session:
        suppression.suppress(session, tokens.address_hash("jane@example.com"), reason, NOW)
    assert run(database, tokens, site, {"email": "JANE@example.com"}).skipped == 1
    assert subscribers(database) == []


@pytest.mark.parametrize("status", ["active", "unsubscribed"])
def test_who_is_here_already_stays_as_they_are(
    database: Database, tokens: Tokens, site: Site, status: str
) -> None:
    with database.transaction() as session:
        make_subscriber(session, tokens, "jane@example.com", status=status)
    before = fingerprint(database)
    assert run(database, tokens, site, {"email": "jane@example.com", "cadence": "monthly"}).skipped == 1
    assert fingerprint(database) == before


def test_who_was_asked_to_confirm_becomes_active(database: Database, tokens: Tokens, site: Site) -> None:
    with database.transaction() as session:
        make_subscriber(session, tokens, "jane@example.com", status="pending", cadence="monthly")
    assert run(database, tokens, site, {"email": "jane@example.com"}).updated == 1
    assert (subscriber(database).status, subscriber(database).cadence) == ("active", "monthly")
    assert [event.event for event in events(database)] == ["imported"]


def test_an_address_that_occurs_twice_is_taken_once(database: Database, tokens: Tokens, site: Site) -> None:
    result = run(database, tokens, site, {"email": "jane@example.com"}, {"email": "JANE@EXAMPLE.COM"})
    assert (result.added, result.skipped) == (1, 1)


def test_running_an_import_twice_changes_nothing(database: Database, tokens: Tokens, site: Site) -> None:
    run(database, tokens, site, {"email": "jane@example.com"})
    before = fingerprint(database)
    assert run(database, tokens, site, {"email": "jane@example.com"}).skipped == 1
    assert fingerprint(database) == before


def test_ten_thousand_lines_take_seconds(database: Database, tokens: Tokens, site: Site) -> None:
    rows = [{"email": f"reader{number}@example.org"} for number in range(10_000)]
    started = time.monotonic()
    assert run(database, tokens, site, *rows).added == 10_000
    assert time.monotonic() - started < 30, "a few seconds on a quiet machine"


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_lines_about_one_address_the_stricter_one_holds(
    database: Database, tokens: Tokens, site: Site, order: int
) -> None:
    lines = [{"email": "jane@example.com"}, {"email": "JANE@example.com", "status": "unsubscribed"}]
    run(database, tokens, site, *lines[::order])
    assert [person.status for person in subscribers(database)] in ([], ["unsubscribed"])
    with database.reading() as session:
        found = suppression.reason_for(session, tokens.address_hash("jane@example.com"))
    assert found is Reason.UNSUBSCRIBED


def test_a_word_that_is_no_state_of_ours_is_a_bad_line(
    database: Database, tokens: Tokens, site: Site
) -> None:
    result = run(database, tokens, site, {"email": "jane@example.com", "status": "subscribed?"})
    assert (result.added, len(result.problems)) == (0, 1)


def test_an_opt_out_counts_however_bad_the_rest_of_its_line_is(
    database: Database, tokens: Tokens, site: Site
) -> None:
    line = {"email": "jane@example.com", "status": "complained", "timezone": "Mars", "confirmed_at": "soon"}
    assert run(database, tokens, site, line).tightened == 1
    with database.reading() as session:
        found = suppression.reason_for(session, tokens.address_hash("jane@example.com"))
    assert found is Reason.COMPLAINED


def test_only_readers_with_a_wanted_tag_are_let_in_but_every_opt_out_counts(
    database: Database, tokens: Tokens, site: Site
) -> None:
    lines = [
        (2, {"email": "in@example.com", "subscribed_to_emails": "true", "labels": "VIP"}),
        (3, {"email": "out@example.com", "subscribed_to_emails": "true", "labels": "other"}),
        (4, {"email": "gone@example.com", "subscribed_to_emails": "false", "labels": "other"}),
    ]
    reading = Reading(tokens, site, peers.named("ghost"), NOW, frozenset({"vip"}))
    with database.transaction() as session:
        for people in reading.batches(lines):
            store(session, reading, people, Source("ghost", "the old site"))
    assert (reading.result.added, reading.result.skipped, reading.result.tightened) == (1, 1, 1)
    assert subscriber(database).email == "in@example.com"
