"""Topics, authors and series: who is listed where, in which order, and on how many pages."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog.articles import lists
from blog.articles.models import ContentVersion
from blog.db import Database
from tests.factories import make_article
from tests.site.pages import read


def _data(page: str) -> dict[str, Any]:
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert block
    return dict(json.loads(block.group(1)))


def _links(page: str, rel: str) -> list[str]:
    seen = read(page)
    return [link["href"] for link in [*seen.all("link"), *seen.all("a")] if link.get("rel") == rel]


def _write_series(database: Database, parts: int = 3) -> None:
    with database.transaction() as session:
        for number in range(1, parts + 1):
            # The second part names the series by its slug: that is the same series.
            name = "the-quiet-queue" if number == 2 else "The Quiet Queue"
            at = datetime(2025, 3, number, tzinfo=UTC)
            make_article(session, f"part-{number}", published_at=at, series=name, minutes=number)


def test_a_series_shows_its_parts_in_the_order_they_are_read(client: FlaskClient, database: Database) -> None:
    _write_series(database)
    page = client.get("/series/the-quiet-queue").text
    assert page.index("/articles/part-1") < page.index("/articles/part-2") < page.index("/articles/part-3")
    assert "3 parts, 6 minutes in all" in page
    assert "How to build a queue that nobody thinks about." in page


def test_an_article_says_which_part_it_is_and_leads_to_the_ones_beside_it(
    client: FlaskClient, database: Database
) -> None:
    _write_series(database)
    page = client.get("/articles/part-2").text
    assert "Part 2 of 3" in page
    assert _links(page, "prev") == ["/articles/part-1"]
    assert _links(page, "next") == ["/articles/part-3"]
    assert _data(page)["isPartOf"]["url"] == "https://news.example.org/series/the-quiet-queue"
    assert _data(page)["position"] == 2
    assert _links(client.get("/articles/part-1").text, "prev") == []
    assert _links(client.get("/articles/part-3").text, "next") == []


def test_a_part_that_is_not_published_yet_is_not_counted(client: FlaskClient, database: Database) -> None:
    _write_series(database, parts=2)
    with database.transaction() as session:
        make_article(session, "part-3", series="The Quiet Queue", status="draft")
    assert "Part 2 of 2" in client.get("/articles/part-2").text
    assert "part-3" not in client.get("/series/the-quiet-queue").text


def test_a_series_nobody_described_is_there_under_its_own_name(
    client: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        make_article(session, "alone", series="Über Uhren")
    assert "Über Uhren" in client.get("/series/uber-uhren").text
    assert "/series/uber-uhren" in client.get("/series").text
    assert client.get("/series/unheard-of").status_code == 404


def test_a_byline_leads_to_the_author_and_the_author_to_the_articles(client: FlaskClient) -> None:
    assert _links(client.get("/articles/backend-2-0").text, "author") == ["/authors/mara-lindqvist"]
    page = client.get("/authors/mara-lindqvist").text
    assert "Mara draws the data flow first." in page
    assert page.index("/articles/backend-2-0") < page.index("/articles/older-piece")
    person = _data(page)["mainEntity"]
    assert person["@type"] == "Person"
    assert person["url"] == "https://news.example.org/authors/mara-lindqvist"
    assert person["sameAs"] == "https://mara.example.org/"


def test_an_author_whom_nobody_described_has_a_page_too(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        make_article(session, "guest", authors=["Zoë O'Neill 100%", "Mara Lindqvist"])
        make_article(session, "other-guest", authors=["Zoë"])
    page = client.get("/authors/zoe-oneill-100").text
    assert "/articles/guest" in page
    assert "/articles/other-guest" not in page
    assert "/articles/guest" in client.get("/authors/mara-lindqvist").text
    assert client.get("/authors/nobody").status_code == 404


@pytest.mark.parametrize("base", ["/topics/systems", "/authors/mara-lindqvist"])
def test_a_long_list_has_pages_that_lead_to_each_other(
    client: FlaskClient, database: Database, base: str
) -> None:
    with database.transaction() as session:
        for number in range(2 * lists.PAGE):
            make_article(
                session,
                f"piece-{number}",
                published_at=datetime(2025, 7, 1, number // 60, number % 60, tzinfo=UTC),
            )
    first, second, third = (
        client.get(address).text for address in (base, f"{base}/page/2", f"{base}/page/3")
    )
    assert set(_links(first, "next")) == {f"{base}/page/2"}
    assert _links(first, "prev") == []
    assert set(_links(second, "prev")) == {base}
    assert set(_links(second, "next")) == {f"{base}/page/3"}
    assert _links(third, "next") == []
    assert _links(second, "canonical") == [f"https://news.example.org{base}/page/2"]
    for number in (0, 1, 4):
        assert client.get(f"{base}/page/{number}").status_code == 404


def test_a_list_is_chosen_anew_when_something_is_published(client: FlaskClient, database: Database) -> None:
    for version, slug in enumerate(("one-more", "another")):
        assert f"/articles/{slug}" not in client.get("/topics/systems").text
        with database.transaction() as session:
            make_article(session, slug)
            session.merge(
                ContentVersion(id=1, version=str(version), related_to="", synced_at=datetime.now(UTC))
            )
        assert f"/articles/{slug}" in client.get("/topics/systems").text


def test_nothing_is_kept_of_topics_that_strangers_make_up(client: FlaskClient, app: Flask) -> None:
    assert client.get("/topics/systems").status_code == 200
    assert client.get("/topics/made-up").status_code == 404
    facts = app.extensions["page_cache"].editions.current().facts
    assert "topic systems" in facts
    assert "topic made-up" not in facts


def test_a_topic_tells_machines_where_it_lies(client: FlaskClient) -> None:
    steps = _data(client.get("/topics/systems").text)["itemListElement"]
    assert [(step["position"], step["item"]) for step in steps] == [
        (1, "https://news.example.org/topics"),
        (2, "https://news.example.org/topics/systems"),
    ]


def test_every_list_names_its_own_feed_in_the_head(client: FlaskClient) -> None:
    for base in ("/topics/systems", "/authors/mara-lindqvist", "/series/the-quiet-queue"):
        offered = _links(client.get(base).text, "alternate")
        assert offered == ["/feed.xml", "/feed.json", f"{base}/feed.xml", f"{base}/feed.json"]


def test_an_article_in_a_language_written_from_the_right_says_so(
    client: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        make_article(session, "shalom", language="he")
    page = read(client.get("/articles/shalom").text)
    assert page.all("html")[0]["dir"] == "ltr"
    (prose,) = [box for box in page.all("div") if "e-content" in box.get("class", "")]
    for own in (page.all("h1")[0], prose):
        assert (own["lang"], own["dir"]) == ("he", "rtl")
    assert "lang" not in page.all("article")[0], "the words around the text are the site's"
