"""A hub hears of news once, from the worker; a deaf one is told again."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from blog import clock, create_app
from blog.db import Database
from blog.errors import SettingsError
from blog.settings import ROOT, Settings, load_settings
from blog.site import websub
from blog.web.pieces import Services
from tests.commanding import blog, environment, refused
from tests.factories import make_article

ORIGIN = "https://news.example.org"
ATOM = "{http://www.w3.org/2005/Atom}"
FEEDS = ["", "/topics/systems", "/authors/mara-lindqvist", "/series/the-quiet-queue"]
SPOKEN_TO = "https://hub.example.org/?a=b&c=d"


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


@contextmanager
def asking(settings: Settings, hub: str) -> Iterator[FlaskClient]:
    """Ask a site that has this hub, until the block ends."""
    app = create_app(settings.model_copy(update={"websub_hub": hub}))
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "news.example.org"
    yield client
    app.extensions["blog"].database.dispose()


def hubs_in(client: FlaskClient, base: str) -> tuple[list[str | None], list[dict[str, str]] | None]:
    """Return which hubs a feed names: in its form as Atom, and as JSON."""
    links = ET.fromstring(client.get(f"{base}/feed.xml").data).findall(f"{ATOM}link")
    as_json = client.get(f"{base}/feed.json").get_json(force=True)
    return [link.get("href") for link in links if link.get("rel") == "hub"], as_json.get("hubs")


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("base", FEEDS)
def test_every_feed_names_its_hub_and_itself_in_both_forms_and_in_the_header(
    settings: Settings, base: str
) -> None:
    with asking(settings, SPOKEN_TO) as client:
        assert hubs_in(client, base) == ([SPOKEN_TO], [{"type": "WebSub", "url": SPOKEN_TO}])
        for form in ("xml", "json"):
            answer = client.get(f"{base}/feed.{form}")
            itself = f"{ORIGIN}{base}/feed.{form}"
            assert answer.headers.getlist("Link") == [f'<{SPOKEN_TO}>; rel="hub", <{itself}>; rel="self"']
        atom = ET.fromstring(client.get(f"{base}/feed.xml").data)
        named = [link.get("href") for link in atom.findall(f"{ATOM}link") if link.get("rel") == "self"]
        assert named == [f"{ORIGIN}{base}/feed.xml"]
        # The hub answers for the feeds; nobody else's address belongs to a page.
        assert "hub.example.org" not in client.get("/").text


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("base", FEEDS)
def test_without_a_hub_no_feed_names_one(settings: Settings, base: str) -> None:
    with asking(settings, "") as client:
        assert hubs_in(client, base) == ([], None)
        for form in ("xml", "json"):
            assert "Link" not in client.get(f"{base}/feed.{form}").headers


def test_what_the_hub_is_told_are_the_addresses_that_feeds_give_as_their_own(
    connected: Services, settings: Settings, database: Database, hub: Hub
) -> None:
    with database.transaction() as session:
        make_article(session, "new", topics=["systems"])
    assert websub.announce(connected, clock.now()) == len(hub.told) > 0
    with asking(settings, hub.address) as client:
        for address in hub.told:
            answer = client.get(address.removeprefix(ORIGIN))
            assert answer.status_code == 200
            assert f'<{address}>; rel="self"' in answer.headers["Link"]


def test_the_worker_that_cron_starts_tells_the_hub_once(
    settings: Settings, database: Database, hub: Hub
) -> None:
    with database.transaction() as session:
        make_article(session, "new", topics=["systems"])
    for _ in range(2):
        blog(settings, "worker", "--until-idle", websub_hub=hub.address)
    assert sorted(hub.told) == sorted({*hub.told})
    assert {f"{ORIGIN}/feed.xml", f"{ORIGIN}/topics/systems/feed.json"} <= {*hub.told}


def test_the_worker_that_cron_starts_says_in_one_line_that_a_hub_is_deaf(
    settings: Settings, database: Database, hub: Hub
) -> None:
    with database.transaction() as session:
        make_article(session, "new")
    hub.status = 503
    line = refused(settings, "worker", "--until-idle", websub_hub=hub.address)
    assert line == ("BLOG_WEBSUB_HUB: the hub did not take the news: it answered 503; it is told again later")


#: What Celery's scheduler asks for by this name, once in each period; to do it takes no broker.
CELERY = "from blog.worker.celery import PERIODS, app; PERIODS['blog.announce']; app.tasks['blog.announce']()"


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "program", [["-m", "blog.cli", "worker"], ["-c", CELERY]], ids=["embedded", "celery"]
)
def test_a_worker_that_goes_on_tells_the_hub_by_itself(
    settings: Settings, database: Database, hub: Hub, program: list[str]
) -> None:
    with database.transaction() as session:
        make_article(session, "new")
    settings.var_dir.mkdir(exist_ok=True)
    here = {
        "PATH": os.environ["PATH"],
        "BLOG_WEBSUB_HUB": hub.address,
        "BLOG_BROKER_URL": "redis://localhost",
    }
    process = subprocess.Popen([sys.executable, *program], cwd=ROOT, env=environment(settings) | here)
    deadline = time.monotonic() + 30
    try:
        while f"{ORIGIN}/feed.xml" not in hub.told:
            assert time.monotonic() < deadline, "the hub was not told"
            time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(30)
