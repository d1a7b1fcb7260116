"""What a feed calls an article stays, whatever becomes of its address: a reader shows it once."""

import json
import time
from datetime import timedelta
from xml.etree import ElementTree as ET

from flask import Flask

from blog import create_app
from blog.articles.sync import sync
from blog.content.values import ArticleFile
from blog.db import Database
from blog.web.editions import SERVER_SECONDS
from tests.articles.files import NOW, article_file, library

ATOM = "{http://www.w3.org/2005/Atom}"
MOVED, RETURNED = "Of rivers and what they carry.", "Of something else altogether."


def ids(app: Flask) -> dict[str, tuple[str, str]]:
    """Return what both forms of the feed call each article, by the last part of its address."""
    client = app.test_client()
    root = ET.fromstring(client.get("/feed.xml").text)
    items = {item["url"]: item["id"] for item in json.loads(client.get("/feed.json").text)["items"]}
    found = {}
    for entry in root.findall(f"{ATOM}entry"):
        address = next(link.get("href", "") for link in entry.findall(f"{ATOM}link"))
        found[address.rsplit("/", 1)[1]] = (entry.findtext(f"{ATOM}id", ""), items[address])
    return found


def store(database: Database, *files: ArticleFile) -> None:
    with database.transaction() as session:
        sync(session, library(*files), NOW, force=True)


def test_an_article_keeps_its_name_when_its_file_its_address_and_its_year_change(
    app: Flask, database: Database
) -> None:
    store(database, article_file("rivers", MOVED))
    before = ids(app)["rivers"]
    year_ago = article_file("rivers", MOVED).published_at - timedelta(days=366)
    store(database, article_file("the-rivers", MOVED, source="articles/rivers.md"))
    store(database, article_file("of-rivers", MOVED, source="articles/rivers.md", published_at=year_ago))
    assert ids(app) == {"of-rivers": before}
    store(database, article_file("rivers", MOVED, source="articles/rivers.md"))
    assert ids(app) == {"rivers": before}


def test_who_comes_to_an_address_that_was_anothers_gets_a_name_of_its_own(
    app: Flask, database: Database
) -> None:
    store(database, article_file("rivers", MOVED))
    first = ids(app)["rivers"]
    moved = article_file("streams", MOVED, source="articles/rivers.md")
    store(database, moved)
    store(database, moved, article_file("rivers", RETURNED, source="articles/new.md"))
    found = ids(app)
    assert found["streams"] == first
    assert not set(found["rivers"]) & set(first)
    # Nor does it change any more.
    store(database, moved, article_file("rivers", RETURNED + " Mended.", source="articles/new.md"))
    assert ids(app) == found


def test_who_comes_to_the_address_of_one_that_is_gone_is_another(app: Flask, database: Database) -> None:
    kept = article_file("rivers", MOVED)
    store(database, kept)
    first = ids(app)["rivers"]
    gone = article_file("streams", MOVED, source="articles/rivers.md")
    store(database, article_file("rivers", RETURNED, source="articles/new.md"), gone)
    assert ids(app)["streams"] == first
    assert not set(ids(app)["rivers"]) & set(first)


def test_two_that_exchange_their_addresses_keep_their_names(app: Flask, database: Database) -> None:
    store(database, article_file("one", MOVED), article_file("two", RETURNED))
    before = ids(app)
    store(
        database,
        article_file("two", MOVED, source="articles/one.md"),
        article_file("one", RETURNED, source="articles/two.md"),
    )
    assert ids(app) == {"two": before["one"], "one": before["two"]}


def test_on_another_domain_everything_is_called_as_it_was_before(app: Flask, database: Database) -> None:
    services = app.extensions["blog"]
    store(database, article_file("rivers", MOVED))
    before, feed = ids(app)["rivers"], root_id(app)
    moved = services.settings.model_copy(update={"site_url": "https://elsewhere.example.net"})
    there = create_app(moved)
    assert not {*ids(there)["rivers"], root_id(there)} & {*before, feed}
    site = services.settings.content_dir / "site.toml"
    site.write_text(f'first_address = "{services.settings.site_url}"\n{site.read_text()}')
    time.sleep(SERVER_SECONDS)
    assert ids(there)["rivers"] == before
    assert root_id(there) == feed
    assert "https://elsewhere.example.net/articles/rivers" in there.test_client().get("/feed.json").text
    there.extensions["blog"].database.dispose()


def root_id(app: Flask) -> str:
    return ET.fromstring(app.test_client().get("/feed.xml").text).findtext(f"{ATOM}id", "")
