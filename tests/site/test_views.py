"""The reading site, page by page, on both databases."""

import json
import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog.articles import lists
from blog.articles.models import Article, Redirect
from blog.db import Database
from tests.factories import make_article
from tests.site.pages import read

PAGES = [
    "/",
    "/articles/backend-2-0",
    "/articles/older-piece",
    "/topics",
    "/topics/systems",
    "/topics/quiet",
    "/topics/back-pressure",
    "/authors",
    "/authors/mara-lindqvist",
    "/authors/quiet-person",
    "/series",
    "/series/the-quiet-queue",
    "/feeds",
    "/archive",
    "/about",
    "/digests",
    "/digests/1",
    "/subscribe",
]
ANSWERS = [
    *PAGES,
    "/articles/nothing-of-the-kind",
    "/confirm/forged",
    "/unsubscribe/forged",
    "/preferences/forged",
]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_there(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize("address", ANSWERS)
def test_every_page_keeps_the_house_rules(client: FlaskClient, address: str) -> None:
    page = read(client.get(address).text)
    assert page.inline() == []
    assert page.unlabelled() == []
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == "en"
    assert all("alt" in image and "width" in image and "height" in image for image in page.all("img"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("address", PAGES)
def test_a_page_names_one_address_of_its_own_whatever_host_was_asked(
    client: FlaskClient, address: str
) -> None:
    page = read(client.get(address, headers={"Host": "localhost"}).text)
    canonical = [link["href"] for link in page.all("link") if link.get("rel") == "canonical"]
    assert canonical == ["https://news.example.org" + address]


def test_the_home_page_lists_the_newest_article_first(client: FlaskClient) -> None:
    text = client.get("/").text
    assert text.index("Backend 2.0") < text.index("Older piece")


def test_an_article_shows_its_text_then_related_articles_then_the_form(client: FlaskClient) -> None:
    page = client.get("/articles/backend-2-0").text
    assert "Systems &lt;Thinking&gt; First</h1>" in page
    assert page.index("Queues &amp; loops") < page.index("Stay Updated") < page.index('action="/subscribe"')
    assert "May 30, 2025" in page
    assert "Updated" in page
    assert "June 2, 2025" in page


def test_an_article_tells_machines_what_it_is(client: FlaskClient) -> None:
    page = client.get("/articles/backend-2-0").text
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert block
    assert "<" not in block.group(1)
    data = json.loads(block.group(1))
    assert data["headline"] == "Backend 2.0: Systems <Thinking> First"
    assert data["datePublished"] == "2025-05-30T10:00:00+02:00"
    assert data["keywords"] == ["Systems", "Back pressure"]
    assert data["mainEntityOfPage"] == "https://news.example.org/articles/backend-2-0"


def test_the_archive_counts_days_in_the_publishers_time_zone(client: FlaskClient) -> None:
    # Published at 23:30 UTC on the third of February: in Berlin that is the fourth.
    assert '<time datetime="2024-02-04">Feb 4</time>' in client.get("/archive").text


def test_the_archive_lists_everything_newest_first_over_as_many_pages_as_it_takes(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "ARCHIVE_PAGE", 2)
    with database.transaction() as session:
        make_article(session, "bare", topics=[], published_at=datetime(2025, 1, 1, tzinfo=UTC))
    first, second = client.get("/archive").text, client.get("/archive/page/2").text
    listed = re.compile(r'<li><time .*?href="/articles/(.*?)".*?</a>(.*?)</li>')
    assert listed.findall(first) == [("backend-2-0", '<span class="m">Systems</span>'), ("bare", "")]
    assert [slug for slug, _ in listed.findall(second)] == ["older-piece"]
    assert "3 articles, newest first" in second
    assert client.get("/archive/page/3").status_code == 404


def test_a_topic_without_articles_is_there_when_the_site_names_it_and_missing_otherwise(
    client: FlaskClient,
) -> None:
    assert "Nothing here yet" in client.get("/topics/quiet").text
    assert client.get("/topics/unheard-of").status_code == 404


def test_an_empty_publication_has_a_home_page_that_says_so(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        session.query(Article).delete()
    assert "Nothing is published yet" in app.test_client().get("/", headers={"Host": "localhost"}).text


def test_a_draft_is_nowhere(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        make_article(session, "not-yet", status="draft")
    for address in ("/", "/archive", "/topics/systems", "/feed.xml", "/sitemap.xml"):
        assert "not-yet" not in client.get(address).text
    for address in ("/articles/not-yet", "/sketches/not-yet.svg"):
        assert client.get(address).status_code == 404


def test_a_page_of_the_content_folder_never_shadows_a_page_of_the_site(client: FlaskClient) -> None:
    assert "Us." in client.get("/about").text
    assert "newest first" in client.get("/archive").text


def test_a_missing_address_suggests_what_is_close(client: FlaskClient) -> None:
    answer = client.get("/articles/older-pice")
    assert answer.status_code == 404
    assert "This page is not here" in answer.text
    assert '<a href="/articles/older-piece">' in answer.text


def test_the_beginning_of_an_address_is_enough_to_be_helped(client: FlaskClient) -> None:
    assert '<a href="/articles/backend-2-0">' in client.get("/articles/back").text
    assert '<a href="/articles/backend-2-0">' not in client.get("/articles/bac").text


def test_a_withdrawn_article_is_gone(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        make_article(session, "withdrawn", removed_at=datetime(2025, 6, 1, tzinfo=UTC))
    answer = client.get("/articles/withdrawn")
    assert answer.status_code == 410
    assert "was withdrawn" in answer.text


@pytest.mark.parametrize("asked", ["/2024/02/old-address", "/2024/02/old-address/"])
def test_an_old_address_leads_to_the_article(client: FlaskClient, database: Database, asked: str) -> None:
    with database.transaction() as session:
        article = session.query(Article).filter_by(slug="older-piece").one()
        session.add(Redirect(path="/2024/02/old-address", article_id=article.id))
    answer = client.get(asked)
    assert answer.status_code == 301
    assert answer.headers["Location"] == "/articles/older-piece"


def test_a_page_that_has_not_changed_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/articles/backend-2-0")
    etag = first.headers["ETag"]
    assert not etag.startswith("W/")
    again = client.get("/articles/backend-2-0", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == etag


def test_two_readers_get_the_same_bytes(client: FlaskClient) -> None:
    plain = client.get("/articles/backend-2-0")
    odd = client.get(
        "/articles/backend-2-0?utm_source=x",
        headers={"Cookie": "a=b", "X-Forwarded-Host": "evil.test", "Accept-Language": "de"},
    )
    assert plain.data == odd.data
    assert plain.headers["ETag"] == odd.headers["ETag"]


def test_a_head_request_has_the_headers_and_no_body(client: FlaskClient) -> None:
    answer = client.head("/")
    assert answer.data == b""
    assert answer.headers["ETag"] == client.get("/").headers["ETag"]
