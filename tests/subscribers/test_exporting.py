"""The list goes out and comes in again, and nothing of it is lost, loosened or run by a spreadsheet."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from blog.cli import cli
from blog.content.values import Site
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.addresses import parse
from blog.delivery.suppression import Reason
from blog.subscribers import consent, exporting, lifecycle, peers, privacy
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.importing import import_rows
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import ConsentEvent, Subscriber
from blog.tokens import Tokens
from blog.web.pieces import Services
from tests.factories import make_subscriber
from tests.subscribers.rows import events, fingerprint, subscribers

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("203.0.113.0/24", "", "1:abc")
ACT = Act(Method.PAGE, ORIGIN, NOW)
TIMES = ("created_at", "confirmed_at", "left_at", "paused_until")


def everybody(database: Database, tokens: Tokens) -> None:
    """Make one person in every state, with a record, and an address that is only known by its hash."""
    with database.transaction() as session:
        for status in ("active", "unsubscribed", "bounced", "complained", "pending"):
            person = make_subscriber(
                session, tokens, f"{status}@example.org", status=status, topics="systems", now=NOW
            )
            consent.record(session, person.id, Event.REQUESTED, Method.FORM, ORIGIN, NOW, {"topics": ["ü=1"]})
            if status in set(Reason):
                suppression.suppress(session, person.address_hash, Reason(status), NOW)
        plus = make_subscriber(session, tokens, "+plus@example.org", cadence="monthly", now=NOW)
        until = {"paused_until": NOW + timedelta(days=90)}
        lifecycle.move(session, Subscriber.id == plus.id, Event.PAUSED, ACT, values=until)
        erased = make_subscriber(session, tokens, "erased@example.org", now=NOW)
        privacy.erase(session, erased, ACT)
        privacy.erase_address(session, tokens, parse("stranger@example.org"), ACT)


def written(database: Database) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows([exporting.COLUMNS, *exporting.rows(database)])
    return stream.getvalue()


def forgotten(database: Database) -> None:
    """Empty the tables, as they are on another machine with the same secret key."""
    with database.transaction() as session:
        for row in session.scalars(select(ConsentEvent)).all():
            session.delete(row)
        session.flush()
        for row in session.scalars(select(Subscriber)).all():
            session.delete(row)
        session.execute(suppression.Suppression.__table__.delete())  # type: ignore[attr-defined]


def taken_over(database: Database, tokens: Tokens, site: Site, table: str) -> dict[str, int]:
    rows = list(csv.DictReader(io.StringIO(table)))
    peer = peers.recognise(rows[0])
    assert peer is peers.named("blog")
    with database.transaction() as session:
        result = import_rows(session, tokens, site, rows, "the old machine", NOW, peer)
    assert result.problems == []
    return {"added": result.added, "tightened": result.tightened, "refused": result.refused}


def test_everything_comes_back_on_another_machine_except_what_was_never_confirmed(
    database: Database, tokens: Tokens, site: Site
) -> None:
    everybody(database, tokens)
    first = written(database)
    forgotten(database)
    assert taken_over(database, tokens, site, first) == {"added": 2, "tightened": 5, "refused": 1}
    second = written(database)
    before, after = (
        {row["address_hash"]: row for row in csv.DictReader(io.StringIO(t))} for t in (first, second)
    )
    lost = {row["status"] for key, row in before.items() if key not in after}
    assert lost == {"pending"}
    for key, row in after.items():
        same = {**row, "consent": ""}
        assert same == {**before[key], "consent": ""}
        told = json.loads(row["consent"])
        if row["email"]:
            assert told[0]["details"].get("record", []) == json.loads(before[key]["consent"])
            assert told[0]["event"] == "imported"
    with database.reading() as session:
        assert suppression.reason_for(session, tokens.address_hash("erased@example.org")) is Reason.ERASED
        assert suppression.reason_for(session, tokens.address_hash("stranger@example.org")) is Reason.ERASED


def test_taking_the_same_list_over_again_changes_nothing(
    database: Database, tokens: Tokens, site: Site
) -> None:
    everybody(database, tokens)
    table, before = written(database), fingerprint(database)
    taken_over(database, tokens, site, table)
    assert fingerprint(database) == before


def test_who_was_erased_there_is_erased_here(database: Database, tokens: Tokens, site: Site) -> None:
    everybody(database, tokens)
    table = written(database)
    forgotten(database)
    with database.transaction() as session:
        make_subscriber(session, tokens, "erased@example.org")
    taken_over(database, tokens, site, table)
    assert not any("erased@" in person.email for person in subscribers(database))
    assert "erased" in [event.event for event in events(database)]


def test_no_cell_of_a_list_is_run_by_a_spreadsheet(database: Database, tokens: Tokens) -> None:
    everybody(database, tokens)
    cells = [cell for row in exporting.rows(database) for cell in row]
    assert "'+plus@example.org" in cells
    assert not any(cell[:1] in set(peers.FORMULA) for cell in cells if cell)


def test_the_commands_write_a_list_only_its_owner_may_read_and_rehearse_before_they_store(
    database: Database, tokens: Tokens, services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("blog.cli.subscriber_lists.open_services", lambda: services)
    everybody(database, tokens)
    before = fingerprint(database)

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(cli, ["subscribers", *words])
        assert result.exit_code == code, result.output
        return result.output

    path = tmp_path / "everybody.csv"
    run("export", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == run("export").replace("\r\n", "\n")
    assert list(tmp_path.glob(".*")) == []
    peer = tmp_path / "other.csv"
    peer.write_text("email;tags\nnew@example.org;a\nactive@example.org;a\nunsubscribed@example.org;a\nx;\n")
    said = run("import", str(peer), "--dry-run")
    assert "1  new readers\n           new@example.org" in said
    assert f"{peer}:5: " in said
    assert "1 added, 0 updated, 0 tightened, 2 skipped (1 of them stay out), 1 bad." in said
    told = json.loads(run("import", str(peer), "--dry-run", "--json", "--format", "plain"))
    assert (told["format"], told["dry_run"], told["added"], told["samples"]["refused"]) == (
        "plain", True, 1, ["unsubscribed@example.org"],
    )  # fmt: skip
    assert fingerprint(database) == before, "a rehearsal stores nothing"
    assert "needs --confirmed" in CliRunner().invoke(cli, ["subscribers", "import", str(peer)]).output
    person = json.loads(run("export", "--person", "active@example.org"))
    assert (person["email"], person["deliveries"], len(person["consent"])) == ("active@example.org", [], 1)
