"""`/metrics`: true numbers, for whoever has the token, and nothing about anybody."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from blog import clock, create_app, metrics
from blog.articles.models import ContentVersion
from blog.db import Database
from blog.delivery import outbox, stopping
from blog.delivery.events import Event
from blog.delivery.models import Pace
from blog.digests.models import ScheduleRun
from blog.settings import Settings
from blog.subscribers.models import Mail
from tests.factories import make_article
from tests.mailings import make_mailing

TOKEN = "a-token-for-tests"


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    made = create_app(settings.model_copy(update={"metrics_token": type(settings.secret_key)(TOKEN)}))
    yield made
    made.extensions["blog"].database.dispose()


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "KEPT_SECONDS", 0.0)


def read(app: Flask, token: str = TOKEN) -> dict[tuple[str, str], float]:
    """Return what was told, by name and label."""
    client = app.test_client(use_cookies=False)
    answer = client.get("/metrics", headers={"Host": "news.example.org", "Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "@" not in answer.text
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_an_empty_site_waits_for_nothing(app: Flask) -> None:
    assert read(app)["blog_oldest_due_seconds", ""] == 0


def test_what_is_held_back_is_counted_by_why(app: Flask, database: Database) -> None:
    now = clock.now()
    with database.transaction() as session:
        for domain, until in (("gmail.com", now + timedelta(minutes=1)), ("yahoo.com", now)):
            session.add(Pace(place=domain, tokens=0, at=now, per_second=1, blocked_until=until))
        stopping.stop(session, make_mailing(session, 3, now), "2 of 3 bounced", now, Event.TOO_MANY)
    told = read(app)
    assert told["blog_held_back", "domain shut"] == 1
    assert told["blog_held_back", "domain slowed"] == 2
    assert told["blog_held_back", "paused: too many came back"] == 1
    assert told["blog_held_back", "stopped: the relay refuses us"] == 0


def test_what_waits_is_counted_by_where_it_stands(app: Flask, database: Database) -> None:
    now = clock.now()
    with database.transaction() as session:
        make_mailing(session, 3, now)
        outbox.add(session, Mail.CONFIRM, 1, "a", "example.org", now - timedelta(minutes=42))
        make_article(session, "piece")
        session.add(ScheduleRun(cadence="weekly", period="2026-W47", ran_at=now))
        session.add(ContentVersion(id=1, version="1", related_to="", synced_at=now - timedelta(hours=1)))
    found = read(app)
    assert found["blog_oldest_due_seconds", ""] == pytest.approx(42 * 60, abs=30)
    assert found["blog_outbox_waiting", ""] == 1
    assert found["blog_deliveries", "planned"] == 3
    assert found["blog_mailings", "sending"] == 1
    assert found["blog_last_run_timestamp_seconds", "weekly"] == pytest.approx(now.timestamp(), abs=1)
    assert found["blog_sync_age_seconds", ""] == pytest.approx(3600, abs=30)


def test_pages_from_memory_are_told_from_those_that_were_made(app: Flask) -> None:
    client = app.test_client(use_cookies=False)
    for _ in range(5):
        client.get("/archive", headers={"Host": "news.example.org"})
    found = {name: value for (name, _), value in read(app).items()}
    assert found["blog_page_cache_hits_total"] >= 3
    assert found["blog_page_cache_misses_total"] >= 1


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN[:-1]}])
def test_without_the_token_there_is_no_such_page(app: Flask, headers: dict[str, str]) -> None:
    client = app.test_client(use_cookies=False)
    assert client.get("/metrics", headers={"Host": "news.example.org"} | headers).status_code == 404


def test_without_one_set_only_a_site_on_this_machine_tells(settings: Settings, database: Database) -> None:
    for address, status in (("https://news.example.org", 404), ("http://127.0.0.1:8000", 200)):
        app = create_app(settings.model_copy(update={"site_url": address}))
        asked = app.test_client(use_cookies=False).get(
            "/metrics", headers={"Host": address.partition("://")[2]}
        )
        assert asked.status_code == status
        app.extensions["blog"].database.dispose()
