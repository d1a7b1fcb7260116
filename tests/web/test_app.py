"""The application as a whole: health, hosts, proxies."""

import socket
import time

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from blog import create_app
from blog.db import Database
from blog.settings import Settings
from blog.web.guards import public


def test_the_process_says_that_it_lives(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")


def test_the_site_is_ready_when_the_database_is_at_the_newest_schema(
    client: FlaskClient, database: Database
) -> None:
    assert client.get("/readyz").text == "ready\n"
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "run `blog db upgrade`" in answer.text


def test_a_site_whose_database_is_away_is_not_ready_and_says_so_kindly(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": "postgresql+psycopg://127.0.0.1:1/none"})
    app = create_app(away)
    client = app.test_client(use_cookies=False)
    assert client.get("/readyz", headers={"Host": "localhost"}).status_code == 503
    answer = client.get("/", headers={"Host": "localhost"})
    assert answer.status_code == 503
    assert "Back in a moment" in answer.text


def test_an_orchestrator_asks_by_the_address_of_the_machine(client: FlaskClient) -> None:
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"Host": "10.42.0.7:8000"}).status_code == 200
    assert client.get("/", headers={"Host": "10.42.0.7:8000"}).status_code == 400


def test_a_process_whose_database_hangs_is_alive(settings: Settings) -> None:
    """A server that takes the connection and says nothing, as behind a firewall that drops."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://127.0.0.1:{silent.getsockname()[1]}/none"
        app = create_app(settings.model_copy(update={"database_url": url}))
        started = time.monotonic()
        assert app.test_client().get("/healthz").status_code == 200
        assert time.monotonic() - started < 2


def test_code_of_before_goes_on_serving_when_the_database_is_upgraded(
    client: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert client.get("/readyz").text == "ready\n"


@pytest.mark.parametrize(
    "host", ["evil.test", "news.example.org.evil.test", "news.example.org@evil.test", ""]
)
def test_another_host_is_refused(client: FlaskClient, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil.test" not in answer.text
    assert answer.headers["Content-Security-Policy"]


def test_a_proxy_is_believed_only_when_the_settings_name_it(settings: Settings, database: Database) -> None:
    def seen(app: Flask) -> str:
        app.add_url_rule(
            "/who", "who", public(lambda: f"{request.remote_addr} {request.scheme} {request.host}")
        )
        headers = {
            "Host": "news.example.org",
            "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil.test",
        }
        text = app.test_client().get("/who", headers=headers).text
        app.extensions["blog"].database.dispose()
        return text

    assert seen(create_app(settings)) == "127.0.0.1 http news.example.org"
    behind_one = settings.model_copy(update={"trusted_proxies": 1})
    assert seen(create_app(behind_one)) == "203.0.113.7 https news.example.org"


def test_the_inbox_exists_in_the_demo_only(
    settings: Settings, database: Database, client: FlaskClient
) -> None:
    assert client.get("/dev/inbox").status_code == 404
    demo = create_app(settings.model_copy(update={"demo": True}))
    guards = {rule.rule: demo.view_functions[rule.endpoint].guard for rule in demo.url_map.iter_rules()}
    assert guards["/dev/inbox"] == "development"
    demo.extensions["blog"].database.dispose()


@pytest.mark.parametrize(("accent", "said"), [("#FFEE88", ["site.accent_moved"]), ("#1D4ED8", [])])
def test_an_accent_too_pale_to_be_read_is_told_when_the_site_starts(
    settings: Settings, database: Database, accent: str, said: list[str]
) -> None:
    (settings.content_dir / "site.toml").write_text(f'accent = "{accent}"\n')
    with capture_logs() as lines:
        create_app(settings).extensions["blog"].database.dispose()
    assert [line["event"] for line in lines if line["event"].startswith("site.")] == said
