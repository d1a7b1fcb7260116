"""A hub hears of news once, from the worker; a deaf one is told again."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from blog import clock
from blog.db import Database
from blog.errors import SettingsError
from blog.settings import load_settings
from blog.site import websub
from blog.web.pieces import Services
from tests.factories import make_article


class Hub:
    """A hub on this machine that notes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.status = 202
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                assert form["hub.mode"] == ["publish"]
                hub.told += form["hub.url"]
                self.send_response(hub.status)
                self.send_header("Location", "http://127.0.0.1:1/inside")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def connected(services: Services, hub: Hub) -> Services:
    services.settings.var_dir.mkdir(exist_ok=True)
    settings = services.settings.model_copy(update={"websub_hub": hub.address})
    return Services(settings, services.database, services.tokens, services.links, services.site)


def test_a_hub_is_told_once_of_every_feed_with_news(
    connected: Services, database: Database, hub: Hub
) -> None:
    with database.transaction() as session:
        make_article(session, "old", topics=["systems"])
    websub.announce(connected, clock.now())
    assert "https://news.example.org/topics/systems/feed.xml" in hub.told
    hub.told.clear()
    assert websub.announce(connected, clock.now()) == 0
    with database.transaction() as session:
        make_article(session, "new", topics=["privacy"], series="Queues")
    websub.announce(connected, clock.now())
    pages = ("", "/topics/privacy", "/authors/mara-lindqvist", "/series/queues")
    wanted = [f"https://news.example.org{page}/feed.{form}" for page in pages for form in ("xml", "json")]
    assert hub.told == wanted


def test_two_hosts_each_tell_the_hub_once_whoever_has_its_turn(
    connected: Services, database: Database, hub: Hub, tmp_path: Path
) -> None:
    """Each host keeps for itself what it has told: the hub fetches a feed once more, and nobody gets mail."""
    aside = connected.settings.model_copy(update={"var_dir": tmp_path})
    other = Services(aside, database, connected.tokens, connected.links, connected.site)
    with database.transaction() as session:
        make_article(session, "new", topics=["systems"])
    told = [websub.announce(host, clock.now()) for host in (connected, other, connected, other, other)]
    assert told[0] == told[1] > 0
    assert told[2:] == [0, 0, 0]
    assert all(hub.told.count(topic) == 2 for topic in hub.told)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_hub_that_does_not_take_the_news_is_told_again_and_followed_nowhere(
    connected: Services, database: Database, hub: Hub, status: int
) -> None:
    with database.transaction() as session:
        make_article(session, "news")
    hub.status = status
    with pytest.raises(websub.HubError, match=f"it answered {status}"):
        websub.announce(connected, clock.now())
    hub.status = 204
    assert websub.announce(connected, clock.now()) == 6


def test_an_article_that_is_not_due_is_not_told(connected: Services, database: Database, hub: Hub) -> None:
    with database.transaction() as session:
        make_article(session, "later", published_at=datetime(2999, 1, 1, tzinfo=UTC))
    assert websub.announce(connected, clock.now()) == 0
    assert hub.told == []


def test_without_a_hub_nobody_is_told(services: Services, database: Database) -> None:
    with database.transaction() as session:
        make_article(session, "news")
    assert websub.announce(services, clock.now()) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        "http://hub.example.org/",
        "ftp://127.0.0.1/",
        "https://me@hub.example.org/",
        "https://h.example/>x",
        "hub",
    ],
)
def test_only_an_https_address_is_a_hub(wrong: str) -> None:
    with pytest.raises(SettingsError, match="BLOG_WEBSUB_HUB: expected an https address"):
        load_settings(websub_hub=wrong)
