"""Feeds and the sitemap: well-formed, complete, and the same until something changes."""

from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import feedparser
import pytest
from flask.testing import FlaskClient

from blog.db import Database
from tests.factories import make_article

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def _entries(text: str) -> list[ET.Element]:
    return ET.fromstring(text).findall(f"{ATOM}entry")


def test_the_feed_carries_the_full_text_with_whole_addresses(client: FlaskClient) -> None:
    answer = client.get("/feed.xml")
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    entry = _entries(answer.text)[0]
    content = entry.findtext(f"{ATOM}content") or ""
    assert 'href="https://news.example.org/articles/older-piece"' in content
    assert 'src="https://news.example.org/media/articles/loop.svg"' in content
    assert 'href="/not/a/link"' in content
    assert 'class="anchor"' not in content
    assert "Queues &amp; loops." in content


def test_an_entry_says_when_by_whom_and_about_what(client: FlaskClient) -> None:
    entry = _entries(client.get("/feed.xml").text)[0]
    assert entry.findtext(f"{ATOM}id") == "tag:news.example.org,2025:article:backend-2-0"
    assert entry.findtext(f"{ATOM}title") == "Backend 2.0: Systems <Thinking> First"
    assert entry.findtext(f"{ATOM}published") == "2025-05-30T08:00:00Z"
    assert entry.findtext(f"{ATOM}updated") == "2025-06-02T08:00:00Z"
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Mara Lindqvist"
    assert [topic.get("label") for topic in entry.findall(f"{ATOM}category")] == ["Systems", "Back pressure"]


def test_a_feed_names_itself_and_its_page(client: FlaskClient) -> None:
    root = ET.fromstring(client.get("/topics/systems/feed.xml").text)
    links = [(link.get("rel"), link.get("href")) for link in root.findall(f"{ATOM}link")]
    assert links == [
        ("self", "https://news.example.org/topics/systems/feed.xml"),
        ("alternate", "https://news.example.org/topics/systems"),
        ("alternate", "https://news.example.org/topics/systems/feed.json"),
    ]
    assert root.findtext(f"{ATOM}title") == "Systems — Signal & System"
    assert root.findtext(f"{ATOM}updated") == "2025-06-02T08:00:00Z"


def test_a_feed_of_a_topic_holds_its_articles_only(client: FlaskClient) -> None:
    entries = _entries(client.get("/topics/back-pressure/feed.xml").text)
    assert [entry.findtext(f"{ATOM}id", "").rsplit(":", 1)[1] for entry in entries] == ["backend-2-0"]
    assert _entries(client.get("/topics/quiet/feed.xml").text) == []
    assert client.get("/topics/unheard-of/feed.xml").status_code == 404


def test_characters_that_xml_forbids_never_break_the_feed(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        # PostgreSQL takes no NUL; everything else reaches us.
        make_article(session, "odd", title="A \x0b bell \x07", html="<p>\x1b[31m ]]> \ufffe</p>")
    entry = _entries(client.get("/feed.xml").text)[0]
    assert entry.findtext(f"{ATOM}title") == "A  bell "
    assert entry.findtext(f"{ATOM}content") == "<p>[31m ]]&gt; </p>"


def test_the_feed_holds_the_twenty_newest(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        for number in range(25):
            make_article(session, f"piece-{number}", published_at=datetime(2025, 7, 1 + number, tzinfo=UTC))
    entries = _entries(client.get("/feed.xml").text)
    assert len(entries) == 20
    assert (entries[0].findtext(f"{ATOM}id") or "").endswith("piece-24")


@pytest.mark.parametrize("address", ["/feed.xml", "/topics/quiet/feed.xml", "/sitemap.xml", "/robots.txt"])
def test_a_reader_that_has_it_is_not_sent_it_again(client: FlaskClient, address: str) -> None:
    etag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_the_sitemap_lists_pages_that_exist_and_when_they_changed(client: FlaskClient) -> None:
    urls = {
        url.findtext(f"{MAP}loc", ""): url.findtext(f"{MAP}lastmod")
        for url in ET.fromstring(client.get("/sitemap.xml").text).findall(f"{MAP}url")
    }
    assert urls["https://news.example.org/articles/backend-2-0"] == "2025-06-02T08:00:00+00:00"
    assert urls["https://news.example.org/"] == "2025-06-02T08:00:00+00:00"
    # An article of theirs was mended then; the newest may have come earlier.
    for place in ("topics/systems", "topics/back-pressure", "authors/mara-lindqvist"):
        assert urls[f"https://news.example.org/{place}"] == "2025-06-02T08:00:00+00:00", place
    assert "https://news.example.org/about" in urls
    for address in urls:
        assert address.startswith("https://news.example.org/")
        assert client.get(urlsplit(address).path).status_code == 200


def test_robots_are_shown_the_sitemap_and_kept_from_mailed_links(client: FlaskClient) -> None:
    lines = client.get("/robots.txt").text.splitlines()
    assert "Sitemap: https://news.example.org/sitemap.xml" in lines
    assert {"Disallow: /confirm/", "Disallow: /unsubscribe/", "Disallow: /preferences/"} <= set(lines)


@pytest.mark.parametrize("base", ["", "/topics/systems", "/topics/quiet", "/authors/mara-lindqvist"])
def test_a_reader_program_finds_nothing_wrong_with_a_feed(client: FlaskClient, base: str) -> None:
    answer = client.get(f"{base}/feed.xml")
    parsed = feedparser.parse(
        answer.data, response_headers={name.lower(): value for name, value in answer.headers.items()}
    )
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.version == "atom10"
    assert all(entry.content[0].value and entry.id and entry.updated_parsed for entry in parsed.entries)
