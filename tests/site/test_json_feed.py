"""JSON Feed 1.1: by its own rules, and the same as the Atom feed."""

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from blog import create_app
from blog.articles.models import RelatedArticle
from blog.db import Database
from blog.settings import Settings
from tests.factories import make_article

ATOM = "{http://www.w3.org/2005/Atom}"
BASES = ["", "/topics/systems", "/topics/quiet", "/authors/mara-lindqvist", "/series/the-quiet-queue"]
#: What the format says of its fields: name → type, and which must be there.
FEED = {"version": str, "title": str, "home_page_url": str, "feed_url": str, "description": str, "icon": str}
FEED |= {"favicon": str, "authors": list, "language": str, "items": list, "hubs": list}
ITEM = {"id": str, "url": str, "title": str, "summary": str, "content_html": str, "image": str, "tags": list}
ITEM |= {"date_published": str, "date_modified": str, "authors": list, "language": str}


def _check(given: dict[str, Any], known: dict[str, type], needed: set[str]) -> None:
    assert needed <= given.keys()
    for name, value in given.items():
        assert name.startswith("_") or isinstance(value, known[name]), name


@pytest.mark.parametrize("base", BASES)
def test_a_json_feed_keeps_the_rules_of_its_format(client: FlaskClient, base: str) -> None:
    answer = client.get(f"{base}/feed.json")
    assert answer.headers["Content-Type"] == "application/feed+json; charset=utf-8"
    feed = answer.get_json(force=True)
    _check(feed, FEED, {"version", "title", "items", "feed_url", "home_page_url"})
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"https://news.example.org{base}/feed.json"
    for item in feed["items"]:
        _check(item, ITEM, {"id", "content_html", "date_published"})
        assert datetime.fromisoformat(item["date_published"]).tzinfo
        assert all(author.keys() == {"name", "url"} for author in item["authors"])


@pytest.mark.parametrize("base", BASES)
def test_both_forms_hold_the_same_articles(client: FlaskClient, base: str) -> None:
    entries = ET.fromstring(client.get(f"{base}/feed.xml").text).findall(f"{ATOM}entry")
    items = client.get(f"{base}/feed.json").get_json(force=True)["items"]
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [item["title"] for item in items]
    assert [entry.findtext(f"{ATOM}content") for entry in entries] == [item["content_html"] for item in items]


def test_a_feed_names_the_related_articles_that_the_page_shows(
    client: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        one, other = make_article(session, "one"), make_article(session, "other")
        session.add(
            RelatedArticle(
                article_id=one.id,
                position=0,
                related_id=other.id,
                kind="text",
                score=1,
                reason="shares queues",
            )
        )
    assert "/articles/other" in client.get("/articles/one").text
    items = {item["url"]: item for item in client.get("/feed.json").get_json(force=True)["items"]}
    related = items["https://news.example.org/articles/one"]["_related"]
    assert related == [
        {"url": "https://news.example.org/articles/other", "title": "Other", "reason": "shares queues"}
    ]
    entries = ET.fromstring(client.get("/feed.xml").text).findall(f"{ATOM}entry")
    named = {
        entry.findtext(f"{ATOM}title"): [
            link.get("href") for link in entry.findall(f"{ATOM}link") if link.get("rel") == "related"
        ]
        for entry in entries
    }
    assert named["One"] == ["https://news.example.org/articles/other"]


def test_a_feed_says_when_it_last_changed_and_is_not_sent_twice(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    answer = client.get("/feed.json")
    assert answer.last_modified == datetime(2025, 5, 30, 8, tzinfo=UTC)
    since = {"If-Modified-Since": answer.headers["Last-Modified"]}
    assert client.get("/feed.json", headers=since).status_code == 304
    with database.transaction() as session:
        make_article(session, "news", published_at=datetime(2025, 6, 9, tzinfo=UTC))
    anew = create_app(settings)  # which has kept no page from before
    assert anew.test_client().get("/feed.json", headers=since).status_code == 200
    anew.extensions["blog"].database.dispose()


def test_the_page_of_the_feeds_lists_feeds_that_exist(client: FlaskClient) -> None:
    page = client.get("/feeds").text
    for base in ("", "/topics/systems", "/authors/mara-lindqvist"):
        for form in ("xml", "json"):
            assert f'href="{base}/feed.{form}"' in page
