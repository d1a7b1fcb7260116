"""Pages as bytes: what is kept, what a client gets, and that nothing is ever out of date."""

import gzip
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli
import pytest
import time_machine
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from blog import clock, create_app
from blog.articles.models import Article, ContentVersion
from blog.db import Database
from blog.settings import Settings
from blog.web.editions import Edition
from blog.web.guards import public
from tests.factories import make_article

ARTICLE = "/articles/backend-2-0"
PAGES = (
    *("/", ARTICLE, "/topics", "/topics/systems", "/archive", "/digests", "/digests/1", "/about"),
    *("/feed.xml", "/topics/systems/feed.xml", "/sitemap.xml", "/robots.txt", "/theme.css", "/icon.svg"),
    "/sketches/backend-2-0.svg",
)


def edition(app: Flask) -> Edition:
    found = app.extensions["page_cache"].editions.current()
    assert isinstance(found, Edition)
    return found


def kept(app: Flask) -> set[str]:
    return set(edition(app).pages)


@pytest.fixture(autouse=True)
def long_ago(app: Flask, settings: Settings) -> None:
    """The publication was last changed an hour ago, however slow this machine is."""
    an_hour_ago = time.time() - 3600
    os.utime(settings.content_dir / "site.toml", (an_hour_ago, an_hour_ago))


@pytest.fixture
def calls(app: Flask) -> list[str]:
    """The paths that reached Flask."""
    found: list[str] = []
    app.before_request(lambda: found.append(_path()))
    return found


def _path() -> str:
    return request.path


def same(first: TestResponse, second: TestResponse) -> bool:
    return (first.status, list(first.headers), first.data) == (
        second.status,
        list(second.headers),
        second.data,
    )


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("coding", ["", "gzip", "br"])
def test_a_page_is_made_once_and_comes_out_the_same_ever_after(
    client: FlaskClient, calls: list[str], path: str, coding: str
) -> None:
    asked = {"Accept-Encoding": coding}
    first, second = client.get(path, headers=asked), client.get(path, headers=asked)
    assert first.status_code == 200
    assert same(first, second)
    assert calls == [path]
    head = client.head(path, headers=asked)
    assert list(head.headers) == list(first.headers)
    assert head.data == b""
    assert "Cookie" not in head.headers.get("Vary", "")


def test_each_coding_holds_the_same_page_under_a_tag_of_its_own(client: FlaskClient) -> None:
    plain = client.get(ARTICLE)
    small = client.get(ARTICLE, headers={"Accept-Encoding": "gzip"})
    smaller = client.get(ARTICLE, headers={"Accept-Encoding": "gzip, br"})
    assert gzip.decompress(small.data) == brotli.decompress(smaller.data) == plain.data
    assert len({answer.headers["ETag"] for answer in (plain, small, smaller)}) == 3
    for answer, coding in ((plain, None), (small, "gzip"), (smaller, "br")):
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', 'W/"a",W/{}', "*"])
@pytest.mark.parametrize("coding", ["", "br"])
def test_who_has_the_page_is_told_so(client: FlaskClient, form: str, coding: str) -> None:
    tag = client.get(ARTICLE, headers={"Accept-Encoding": coding}).headers["ETag"]
    answer = client.get(
        ARTICLE, headers={"If-None-Match": form.replace("{}", tag), "Accept-Encoding": coding}
    )
    assert answer.status_code == 304
    assert answer.data == b""
    assert answer.headers["ETag"] == tag
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Cache-Control"].startswith("public")
    assert set(answer.headers.keys()) == {"ETag", "Vary", "Cache-Control"}


def test_the_same_page_with_another_header_line_is_another(app: Flask, settings: Settings) -> None:
    others = create_app(settings), create_app(settings.model_copy(update={"shared_cache_seconds": 9}))
    host = {"Host": "news.example.org"}
    page, same, other = (one.test_client().get(ARTICLE, headers=host) for one in (app, *others))
    for one in others:
        one.extensions["blog"].database.dispose()
    assert page.data == same.data == other.data
    assert page.headers["ETag"] == same.headers["ETag"] != other.headers["ETag"]


@pytest.mark.parametrize("tags", ['"other"', "nonsense", "", 'W/"a", "b"'])
def test_who_has_another_page_gets_this_one(client: FlaskClient, tags: str) -> None:
    assert client.get(ARTICLE, headers={"If-None-Match": tags}).status_code == 200


def test_a_date_is_looked_at_only_without_a_tag(client: FlaskClient, app: Flask, settings: Settings) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=10)):
        first = client.get(ARTICLE)
        since = first.last_modified
        assert since
        assert _since(client, since).status_code == 304
        assert _since(client, since - timedelta(seconds=1)).status_code == 200
        assert client.get(ARTICLE, headers={"If-Modified-Since": "yesterday"}).status_code == 200
        both = {"If-Modified-Since": format_datetime(since, usegmt=True), "If-None-Match": '"other"'}
        assert client.get(ARTICLE, headers=both).status_code == 200


def _since(client: FlaskClient, moment: datetime) -> TestResponse:
    return client.get(ARTICLE, headers={"If-Modified-Since": format_datetime(moment, usegmt=True)})


def test_a_page_made_in_the_second_of_a_change_says_no_date_until_that_second_is_over(
    client: FlaskClient, settings: Settings
) -> None:
    path = settings.content_dir / "site.toml"
    path.write_text(path.read_text() + "\n")
    assert client.get(ARTICLE).last_modified is None
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=5)):
        assert client.get(ARTICLE).last_modified is not None


def test_a_query_that_no_view_reads_neither_fills_the_cache_nor_misses_it(
    app: Flask, client: FlaskClient, calls: list[str]
) -> None:
    first = client.get(ARTICLE + "?utm_source=mail")
    for query in ("", "?utm_source=other", "?fbclid=1", "?=&&", "?" + "x" * 2000):
        assert same(client.get(ARTICLE + query), first)
    assert calls == [ARTICLE]
    assert kept(app) == {ARTICLE}


def test_a_page_that_reads_its_query_is_kept_only_without_one(
    app: Flask, client: FlaskClient, calls: list[str]
) -> None:
    @app.get("/looked-for")
    def looked_for() -> str:
        return "You asked for: " + request.args.get("q", "nothing")

    app.view_functions["looked_for"] = public(looked_for)
    for question, answer in (("?q=a", "a"), ("?q=b", "b"), ("", "nothing"), ("?q=c", "c"), ("", "nothing")):
        assert client.get("/looked-for" + question).text == f"You asked for: {answer}"
    assert kept(app) == {"/looked-for"}
    assert len(calls) == 4


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/articles/nothing",
        "/healthz",
        "/readyz",
        "/confirm/x",
        "/subscribe",
        "/unsubscribe/x",
        "/preferences/x",
    ],
)
def test_errors_and_what_a_link_in_a_mail_opens_are_never_kept(
    app: Flask, client: FlaskClient, path: str
) -> None:
    client.get(path)
    client.get(path)
    assert kept(app) == set()


def test_images_are_left_to_the_disk(app: Flask, client: FlaskClient, settings: Settings) -> None:
    image = settings.content_dir / "articles" / "loop.svg"
    image.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert client.get("/media/articles/loop.svg").status_code == 200
    image.write_text("<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>")
    assert "<g/>" in client.get("/media/articles/loop.svg").text
    assert kept(app) == set()


def test_what_is_sent_with_a_form_never_comes_from_the_cache(client: FlaskClient) -> None:
    with time_machine.travel(clock.now(), tick=False):  # the form says when it was made
        shown = client.get("/subscribe")
        answer = client.post("/subscribe", data={"email": "nobody"})
        assert answer.status_code == 422
        assert answer.headers["Cache-Control"] == "no-store"
        assert same(client.get("/subscribe"), shown)


def test_nothing_in_a_request_but_its_path_changes_what_is_kept(client: FlaskClient, app: Flask) -> None:
    odd = {
        "Cookie": "session=1", "Accept-Language": "ar", "User-Agent": "x" * 200, "Range": "bytes=0-9",
        "Referer": "https://evil.example/", "X-Forwarded-Host": "evil.example", "Origin": "null",
        "X-Forwarded-Proto": "gopher", "X-Original-URL": "/admin", "X-Rewrite-URL": "/x",
        "X-HTTP-Method-Override": "POST", "Forwarded": "host=evil.example", "Accept": "application/json",
        "Authorization": "Bearer x", "Sec-Fetch-Site": "cross-site",
    }  # fmt: skip
    other = create_app(app.extensions["blog"].settings).test_client()
    other.environ_base["HTTP_HOST"] = "news.example.org"
    for path in PAGES:
        poisoned = client.get(path, headers=odd)
        assert same(poisoned, client.get(path))
        assert poisoned.data == other.get(path).data, path
    other.application.extensions["blog"].database.dispose()


def test_a_host_that_is_not_ours_is_refused_although_the_page_is_kept(client: FlaskClient) -> None:
    assert client.get("/").status_code == 200
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_list_of_hosts_that_is_narrowed_later_counts_for_kept_pages_too(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"site_url": "http://127.0.0.1:8000"}))
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1"]
    client = app.test_client()
    assert client.get("/robots.txt", headers={"Host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/robots.txt", headers={"Host": "rebound.example"}).status_code == 400
    app.extensions["blog"].database.dispose()


def test_the_cache_holds_no_more_than_it_may_and_keeps_what_is_asked_for(
    settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        for number in range(60):
            make_article(session, f"piece-{number}", html="<p>" + "words " * 9000 + "</p>")
    app = create_app(settings.model_copy(update={"page_cache_mb": 1}))
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "news.example.org"
    for number in range(60):
        assert client.get(f"/articles/piece-{number}").status_code == 200
        assert client.get("/articles/piece-0").status_code == 200
    pages = edition(app).pages
    assert sum(page.size for page in pages.values()) <= 1024 * 1024
    assert {"/articles/piece-0", "/articles/piece-59"} <= set(pages)
    assert len(pages) < 60
    app.extensions["blog"].database.dispose()


def test_with_no_room_at_all_pages_are_still_served(settings: Settings, database: Database) -> None:
    app = create_app(settings.model_copy(update={"page_cache_mb": 0}))
    answer = app.test_client().get("/robots.txt", headers={"Host": "news.example.org"})
    assert answer.status_code == 200
    assert answer.headers["ETag"]
    assert kept(app) == set()
    app.extensions["blog"].database.dispose()


def test_a_sync_is_seen_at_once_by_the_process_that_did_it(
    client: FlaskClient, database: Database, app: Flask
) -> None:
    assert "Changed" not in client.get(ARTICLE).text
    with database.transaction() as session:
        session.query(Article).filter_by(slug="backend-2-0").one().title = "Changed"
        session.add(ContentVersion(id=1, version="2", related_to="", synced_at=datetime.now(UTC)))
    assert "Changed" in client.get(ARTICLE).text
    assert kept(app) == {ARTICLE}


def test_an_article_appears_and_goes_at_its_own_moment(client: FlaskClient, database: Database) -> None:
    now = datetime(2027, 1, 5, 12, tzinfo=UTC)
    with time_machine.travel(now, tick=False) as traveller:
        with database.transaction() as session:
            due, end = now + timedelta(minutes=1), now + timedelta(minutes=2)
            make_article(session, "for-a-minute", published_at=due, live_at=due, expires_at=end)
        shown = []
        for seconds in (0, 59, 60, 119, 120):
            traveller.move_to(now + timedelta(seconds=seconds))
            shown.append("for-a-minute" in client.get("/").text)
        assert shown == [False, False, True, True, False]


def test_without_a_database_the_last_pages_are_served_and_nothing_hangs(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    before = client.get("/")
    database = app.extensions["blog"].database

    def away(*_: object, **__: object) -> Iterator[None]:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    monkeypatch.setattr(database, "_reading", away)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
        assert same(client.get("/"), before)
        assert client.get("/archive").status_code == 503
        monkeypatch.undo()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        assert client.get("/archive").status_code == 200
