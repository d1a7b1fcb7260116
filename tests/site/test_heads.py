"""What the head of a page tells those who show a link to it: Open Graph, and JSON-LD on an article."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog import clock, create_app
from blog.articles.publishing import publish
from blog.db import Database
from blog.settings import Settings
from tests.content.folders import write
from tests.site.conftest import SITE
from tests.site.pages import Seen, read

ORIGIN = "https://news.example.org"
HOSTILE = """</script><script>alert("1")</script> & 'so' <!--"""
ARTICLE = f"""---
title: {json.dumps(HOSTILE)}
date: 2025-05-30T10:00:00+02:00
updated: 2025-06-02T10:00:00+02:00
author: Mara Lindqvist
series: The Quiet Queue
topics: [systems]
---
It begins with "a quote" & goes on.
"""
#: Address → its kind in Open Graph, and its title.
PAGES = {
    "/articles/hostile": ("article", HOSTILE),
    "/articles/plain": ("article", "Plain"),
    "/": ("website", "Signal & System"),
    "/topics/systems": ("website", "Systems"),
    "/series/the-quiet-queue": ("website", "The Quiet Queue"),
    "/authors/mara-lindqvist": ("profile", "Mara Lindqvist"),
    "/archive": ("website", "Archive"),
    "/about": ("website", 'About "us" & <them>'),
}


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application over a content folder, so that what is left unsaid is filled in as for readers."""
    folder = settings.content_dir
    write(folder, "site.toml", SITE)
    write(folder, "articles/hostile.md", ARTICLE)
    write(folder, "articles/plain.md", "---\ntitle: Plain\ndate: 2025-05-01\n---\nWords.\n")
    write(folder, "pages/about.md", """---\ntitle: 'About "us" & <them>'\n---\nWho we are.\n""")
    assert publish(database, folder, clock.now).problems == []
    app = create_app(settings)
    yield app
    app.extensions["blog"].database.dispose()


def properties(page: Seen) -> dict[str, str]:
    """Return what a page says in Open Graph; nothing that is said once may be said twice."""
    said = [(meta["property"], meta["content"]) for meta in page.all("meta") if "property" in meta]
    assert len(said) == len(dict(said))
    return dict(said)


def data(answer: str) -> Any:
    """Return what a page says in its one block of JSON-LD."""
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', answer, re.DOTALL)
    # With any of these a title could end the block, or begin something else in it.
    assert not {*block} & {*"<>&'"}
    # What a parser takes for a script is this block alone.
    assert read(answer).scripts == ["application/ld+json"]
    return json.loads(block)


@pytest.mark.parametrize("address", PAGES)
def test_whoever_is_shown_a_link_learns_what_is_behind_it(client: FlaskClient, address: str) -> None:
    page = read(client.get(address).text)
    said = properties(page)
    kind, title = PAGES[address]
    assert (said["og:type"], said["og:title"]) == (kind, title)
    assert said["og:site_name"] == "Signal & System"
    assert said["og:description"].strip()
    (canonical,) = (link["href"] for link in page.all("link") if link.get("rel") == "canonical")
    assert said["og:url"] == canonical == ORIGIN + address


def test_a_description_is_what_the_publisher_wrote_or_else_how_the_text_begins(client: FlaskClient) -> None:
    described = {
        address: properties(read(client.get(address).text))["og:description"]
        for address in ("/", "/topics/systems", "/authors/mara-lindqvist", "/about", "/articles/hostile")
    }
    assert described == {
        "/": "Insights on AI & security.",
        "/topics/systems": "What happens between the boxes.",
        "/authors/mara-lindqvist": "Mara draws the data flow first.",
        "/about": "Who we are.",
        "/articles/hostile": "It begins with “a quote” & goes on.",
    }


def test_an_article_says_to_machines_who_published_it_and_when(client: FlaskClient) -> None:
    answer = client.get("/articles/hostile").text
    said, shown = data(answer), properties(read(answer))
    assert (said["@context"], said["@type"]) == ("https://schema.org", "Article")
    assert said["headline"] == HOSTILE
    assert said["datePublished"] == shown["article:published_time"] == "2025-05-30T10:00:00+02:00"
    assert said["dateModified"] == shown["article:modified_time"] == "2025-06-02T10:00:00+02:00"
    mara = {"@type": "Person", "name": "Mara Lindqvist", "url": f"{ORIGIN}/authors/mara-lindqvist"}
    assert said["author"] == [mara]
    assert (said["publisher"]["@type"], said["publisher"]["name"]) == ("Organization", "Signal & System")
    assert said["publisher"]["url"] == f"{ORIGIN}/"
    assert said["mainEntityOfPage"] == said["url"] == shown["og:url"]
    assert said["isPartOf"]["url"] == f"{ORIGIN}/series/the-quiet-queue"
    assert said["image"]["url"] == shown["og:image"]


def test_an_article_that_was_never_changed_is_as_old_as_it_is(client: FlaskClient) -> None:
    said = data(client.get("/articles/plain").text)
    assert said["dateModified"] == said["datePublished"] == "2025-05-01T00:00:00+02:00"
    assert said["author"] == [said["publisher"]]


@pytest.mark.parametrize(
    "address",
    ["/articles/hostile", "/", "/archive", "/series/the-quiet-queue", "/search?q=begins"],
)
def test_no_title_is_ever_markup(client: FlaskClient, address: str) -> None:
    page = read(client.get(address).text)
    assert {*page.scripts} <= {"application/ld+json"}
    assert HOSTILE in page.text


def test_no_name_of_a_site_is_ever_markup(settings: Settings, database: Database) -> None:
    write(settings.content_dir, "site.toml", f"name = {json.dumps(HOSTILE)}\ntagline = 'Notes'\n")
    app = create_app(settings)
    answer = app.test_client().get("/", headers={"Host": "news.example.org"}).text
    app.extensions["blog"].database.dispose()
    assert data(answer)["name"] == properties(read(answer))["og:site_name"] == HOSTILE
