"""Erasure: the whole database and the log are searched, and nothing names the person any more."""

import io
import json
import subprocess
from contextlib import redirect_stderr
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import literal, select, text
from sqlalchemy.orm import Session

from blog import logs
from blog.cli import cli
from blog.content.values import Site
from blog.db import Base, Database
from blog.delivery import ledger, suppression
from blog.delivery.addresses import parse
from blog.delivery.models import Delivery, OutboxMail
from blog.delivery.suppression import Reason
from blog.subscribers import account, consent, importing, moving, privacy, unsubscribe
from blog.subscribers.audience import audience
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Cadence, Subscriber
from blog.tokens import Tokens
from blog.web.pieces import Services
from tests.factories import make_subscriber
from tests.mailings import TEMPLATE
from tests.subscribers.rows import event_names, fingerprint, outbox, subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("198.51.100.0/24", "/subscribe", "1:abc")
ACT = Act(Method.PAGE, ORIGIN, NOW)
WORDS = ("jane.doe", "straße.example", "xn--strae-oqa.example", "jane.new", "198.51.100", "rare-topic")


def dump(database: Database) -> str:
    """Return every value of every table, as text."""
    found = []
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            found += [repr(tuple(row)) for row in session.execute(select(table))]
        names = set(Base.metadata.tables)
        assert "deliveries" in names
    return "\n".join(found).lower()


def a_long_life(session: Session, tokens: Tokens) -> Subscriber:
    """Make a subscriber who has left traces everywhere."""
    person = make_subscriber(session, tokens, "Jane.Doe@straße.example", topics="rare-topic", now=NOW)
    consent.record(session, person.id, Event.REQUESTED, Method.FORM, ORIGIN, NOW, {"topics": ["rare-topic"]})
    consent.record(session, person.id, Event.CONFIRMED, Method.PAGE, ORIGIN, NOW)
    mailing = ledger.open_mailing(session, "digest", "bounces@example.org", NOW)
    variant = ledger.add_variant(session, mailing, "all", TEMPLATE)
    ledger.plan(session, mailing, _recipient(variant), "example.org", NOW)
    second = ledger.open_mailing(session, "digest", "bounces@example.org", NOW)
    another = ledger.add_variant(session, second, "all", TEMPLATE)
    ledger.plan(session, second, _recipient(another), "x.org", NOW)
    sent = session.scalars(select(Delivery).where(Delivery.mailing_id == mailing)).one()
    sent.state, sent.reply = "accepted", "250 2.1.5 <Jane.Doe@xn--strae-oqa.example> recipient ok"
    moving.request(session, tokens, person, parse("jane.new@example.org"), ACT, "example.org")
    unsent = OutboxMail(
        kind="confirm", subject_id=person.id, dedup_key="x", message_id="<1@example.org>", state="failed",
        next_at=NOW, created_at=NOW, reply="550 jane.doe@straße.example unknown",
    )  # fmt: skip
    session.add(unsent)
    session.flush()
    return person


def _recipient(variant: int):  # type: ignore[no-untyped-def]
    person = Subscriber.id, Subscriber.public_id, Subscriber.address, Subscriber.address_hash
    return select(*person, literal(variant), literal(NOW, Delivery.next_at.type))


def test_nothing_in_the_database_or_the_log_names_who_was_erased(database: Database, tokens: Tokens) -> None:
    said = io.StringIO()
    with redirect_stderr(said):
        logs.configure(json=True)
        with database.transaction() as session:
            person = a_long_life(session, tokens)
        before = dump(database)
        assert all(word in before for word in WORDS), "the search can see what it looks for"
        with database.transaction() as session:
            privacy.erase(session, session.get_one(Subscriber, person.id), ACT)
    after = dump(database) + said.getvalue().lower()
    assert [word for word in WORDS if word in after] == []
    assert tokens.address_hash("jane.doe@xn--strae-oqa.example") in after, "only the keyed hash stays"
    with database.reading() as session:
        states = dict(session.execute(select(Delivery.mailing_id, Delivery.state)).all())
        assert sorted(states.values()) == ["accepted", "skipped"], "what was sent still adds up"
        assert suppression.reason_for(session, person.address_hash) is Reason.ERASED
    assert event_names(database) == ["erased"]


@pytest.mark.sqlite  # a server's files are its administrator's
def test_the_file_itself_holds_nothing_after_the_next_vacuum(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        privacy.erase(session, a_long_life(session, tokens), ACT)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.connection.driver_connection.execute("VACUUM")  # type: ignore[union-attr]
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    path = str(database.url.database)
    for word in ("jane.doe", "rare-topic"):
        assert subprocess.run(["grep", "-qai", word, path], check=False).returncode == 1


def test_erasing_twice_is_recorded_once(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        person = a_long_life(session, tokens)
        privacy.erase(session, person, ACT)
    before = fingerprint(database)
    with database.transaction() as session:
        privacy.erase(session, session.get_one(Subscriber, person.id), ACT)
    assert fingerprint(database) == before


def test_neither_import_nor_sign_up_nor_an_old_link_brings_back_who_was_erased(
    client: FlaskClient, database: Database, tokens: Tokens, site: Site
) -> None:
    with database.transaction() as session:
        person = make_subscriber(session, tokens, "jane@example.com")
        links = [
            f"/unsubscribe/{unsubscribe.token_for(tokens, person.public_id)}",
            f"/restore/{unsubscribe.restore_token(tokens, person)}",
            f"/account/{account.token_for(tokens, person) or 'x'}",
        ]
        privacy.erase(session, person, ACT)
    before = fingerprint(database)
    with database.transaction() as session:
        result = importing.import_rows(session, tokens, site, [{"email": "JANE@example.com"}], "a list", NOW)
    assert (result.added, result.updated, result.skipped) == (0, 0, 1)
    assert client.post("/subscribe", data={"email": "jane@example.com"}).status_code == 200
    assert client.post(links[0]).status_code == 200, "an erased one's valid link is answered kindly"
    for link in links:
        assert "jane" not in client.get(link).text
        assert client.post(link).status_code in (200, 404, 422)
    assert fingerprint(database) == before
    assert outbox(database) == []
    with database.reading() as session:
        assert session.execute(audience(Cadence.WEEKLY, NOW)).all() == []


def test_an_export_is_all_there_is(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        data = privacy.export(session, a_long_life(session, tokens))
    assert json.loads(json.dumps(data))["email"] == "Jane.Doe@straße.example"
    assert [event["event"] for event in data["consent"]] == ["requested", "confirmed"]
    assert [delivery["state"] for delivery in data["deliveries"]] == ["accepted", "planned"]


def test_the_operator_erases_by_address_known_or_not(
    database: Database, tokens: Tokens, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blog.cli.subscribers.open_services", lambda: services)
    with database.transaction() as session:
        make_subscriber(session, tokens, "jane@example.com")

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, ["subscribers", *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert json.loads(run("erase", "Jane@Example.com", "--json"))["erased"] is True
    shown = json.loads(run("show", "jane@example.com", "--json"))
    assert (shown["status"], [event["event"] for event in shown["consent"]]) == ("erased", ["erased"])
    assert shown["consent"][0]["method"] == "operator"
    assert "Nobody with this address" in run("erase", "eve@example.com")
    assert json.loads(run("show", "eve@example.com", "--json"))["status"] == "erased"
    assert "erased, no cadence" in run("show", "jane@example.com")
    assert subscriber(database).status == "erased"
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM suppressions")) == 2
