"""The whole examination: on a sound installation, and with one thing after the other out of order."""

import json
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from blog import clock, create_app
from blog.cli import cli
from blog.db import Database
from blog.delivery import outbox
from blog.delivery.models import OutboxMail
from blog.doctor import live, machine, relay
from blog.doctor.findings import Verdict
from blog.links import Links
from blog.settings import Settings
from blog.subscribers.models import ConsentEvent, Mail, Subscriber
from blog.tokens import Tokens
from tests.commanding import environment
from tests.factories import make_article, make_subscriber
from tests.serving import serving
from tests.smtp_server import certificate, free_port, smtp_server


def doctor(settings: Settings, *arguments: str, **more: str) -> Result:
    given = environment(settings) | {f"BLOG_{name.upper()}": value for name, value in more.items()}
    return CliRunner().invoke(cli, ["doctor", *arguments], env=given)


def verdicts(result: Result) -> dict[str, str]:
    return {finding["name"]: finding["verdict"] for finding in json.loads(result.stdout)}


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    with database.transaction() as session:
        make_article(session, "piece")
    app = create_app(settings)
    yield app
    app.extensions["blog"].database.dispose()


def test_a_sound_installation_has_nothing_wrong_and_nobody_is_touched(
    app: Flask, settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        make_subscriber(session, Tokens(settings.key_ring), "ada@example.org")
    with serving(app) as site, smtp_server() as server:
        result = doctor(settings, "--json", site_url=site, mail_port=str(server.port))
        told = doctor(settings, site_url=site, mail_port=str(server.port))
    assert result.exit_code == 0, result.stdout
    found = verdicts(result)
    assert {name for name, verdict in found.items() if verdict == "good"} >= {
        "secret", "postal address", "migrations", "worker", "content", "disk", "relay", "site",
        "one click, urlencoded", "one click, multipart",
    }  # fmt: skip
    assert found["domain"] == "skipped"
    assert server.taken == []
    assert told.stdout.count("\n") >= 12
    assert "mend:" in told.stdout
    with database.reading() as session:
        assert session.scalars(select(Subscriber.status)).all() == ["active"]
        assert (
            session.scalars(select(ConsentEvent.id)).all()
            == session.scalars(select(OutboxMail.id)).all()
            == []
        )


def test_what_is_out_of_order_is_named_each_with_how_to_mend_it(settings: Settings) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    result = doctor(settings, "--json", site_url=nowhere, mail_port=str(free_port()))
    assert result.exit_code == 1
    wrong = {
        finding["name"]: finding for finding in json.loads(result.stdout) if finding["verdict"] == "wrong"
    }
    assert set(wrong) == {"relay", "site"}
    assert all(finding["why"] and finding["mend"] for finding in wrong.values())


@pytest.mark.sqlite
def test_a_database_without_tables_and_one_that_is_damaged_are_told_from_a_sound_one(
    settings: Settings, tmp_path: Path
) -> None:
    found = verdicts(doctor(settings, "--json", database_url=f"sqlite:///{tmp_path / 'new.db'}"))
    assert (found["database"], found["migrations"], found["worker"]) == ("warning", "wrong", "skipped")
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database, whatever its name says" * 200)
    found = verdicts(doctor(settings, "--json", database_url=f"sqlite:///{broken}"))
    assert found["database"] == "wrong"


def test_a_mail_that_waits_for_long_says_that_no_worker_runs(database: Database) -> None:
    now = clock.now()
    with database.transaction() as session:
        outbox.add(session, Mail.CONFIRM, 1, "a", "example.org", now - timedelta(minutes=42))
        finding = machine.check_work(session, now)
    assert finding.verdict is Verdict.WRONG
    assert "42 minutes" in finding.found


def test_a_clock_that_differs_from_the_database_is_wrong(database: Database, engine: str) -> None:
    with database.reading() as session:
        (found,) = machine.check_clock(session, clock.now() + timedelta(minutes=10))
    if engine == "postgresql":
        assert found.verdict is Verdict.WRONG
        assert "s from the database's" in found.found
    else:
        assert found.verdict is not Verdict.WRONG


@pytest.mark.parametrize(("free", "verdict"), [(10**8, "wrong"), (10**9, "warning"), (10**11, "good")])
@pytest.mark.sqlite
def test_little_room_is_told_before_there_is_none(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    assert [finding.verdict for finding in machine.check_disk(settings, database)] == [Verdict(verdict)]


def relay_settings(settings: Settings, port: int, **more: Any) -> Settings:
    return settings.model_copy(update={"mail_server": "127.0.0.1", "mail_port": port, **more})


@pytest.mark.sqlite
def test_a_certificate_is_verified_and_its_end_is_told_in_time(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, context = certificate(tmp_path)
    with smtp_server(tls_context=context) as server:
        secured = relay_settings(settings, server.port, mail_use_tls=True)
        (untrusted,) = relay.check(secured, "example.org", clock.now())
        assert untrusted.verdict is Verdict.WRONG
        assert "certificate is not in order" in untrusted.found
        trusting = ssl.create_default_context(cafile=str(path))
        monkeypatch.setattr("ssl.create_default_context", lambda: trusting)
        found = {finding.name: finding for finding in relay.check(secured, "example.org", clock.now())}
    assert found["relay"].verdict is Verdict.GOOD
    assert found["relay TLS"].verdict is Verdict.WARNING  # it is good for two days
    assert "good for" in found["relay TLS"].found


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response("", 308, {"Location": "https://www.example.org/"}), "redirected"),
        (Response("no", 403), "answered 403"),
        (Response("ok", 200, {"Set-Cookie": "a=b"}), "a cookie came"),
    ],
)
@pytest.mark.sqlite
def test_a_proxy_that_gets_in_the_way_of_one_click_is_found(
    settings: Settings, answer: Response, words: str
) -> None:
    @Request.application
    def proxy(request: Request) -> Response:
        return answer if request.method == "POST" else Response("ok")

    with serving(proxy) as site:
        found = list(live.check(Tokens(settings.key_ring), Links(site)))
    presses = [finding for finding in found if finding.name.startswith("one click,")]
    assert [finding.verdict for finding in presses] == [Verdict.WRONG, Verdict.WRONG]
    assert all(words in finding.found for finding in presses)


@pytest.mark.parametrize("arguments", [["--nameserver", "x"], ["--outgoing", "example.org"]])
@pytest.mark.sqlite
def test_wrong_use_is_one_line(settings: Settings, arguments: list[str]) -> None:
    result = doctor(settings, *arguments)
    assert result.exit_code == 2
    assert arguments[0] in result.stderr
