"""The pages in each language: public ones are the same for everybody, whatever a browser asks for."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog import create_app
from blog.db import Database
from blog.settings import Settings
from tests.factories import make_article
from tests.site.conftest import SITE
from tests.site.pages import read

PAGES = [
    *("/", "/articles/a-piece", "/topics", "/topics/systems", "/topics/quiet", "/authors", "/series"),
    *("/authors/mara-lindqvist", "/series/the-quiet-queue", "/archive", "/search", "/search?q=piece"),
    *("/search?q=xyzzy", "/feeds", "/digests", "/subscribe", "/nothing-here", "/confirm/x", "/restore/x"),
    *("/unsubscribe/x", "/preferences/x", "/account/x", "/move/x", "/drafts/x"),
]
SPOKEN = {"en": ("ltr", "Archive"), "de": ("ltr", "Archiv"), "ar": ("rtl", "الأرشيف")}


@pytest.fixture(params=list(SPOKEN))
def tag(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(settings: Settings, database: Database, tag: str) -> Iterator[Flask]:
    (settings.content_dir / "site.toml").write_text(f'language = "{tag}"\n{SITE}', encoding="utf-8")
    with database.transaction() as session:
        make_article(session, "a-piece", language=tag, authors=["Ada", "Bob", "Mara Lindqvist"])
        make_article(session, "un-texte", language="fr")
    made = create_app(settings)
    yield made
    made.extensions["blog"].database.dispose()


def test_every_page_says_its_language_and_which_way_it_runs(client: FlaskClient, tag: str) -> None:
    way, archive = SPOKEN[tag]
    for address in PAGES:
        answer = client.get(address, headers={"Accept-Language": "pl, en;q=0.5"})
        page = read(answer.text)
        (html,) = page.all("html")
        assert (html["lang"], html["dir"]) == (tag, way), address
        assert f'<a href="/archive">{archive}</a>' in answer.text, address
        assert "accept-language" not in answer.headers.get("Vary", "").lower(), address
        assert "%(" not in answer.text, address


def test_a_text_in_another_language_says_so_wherever_it_stands(client: FlaskClient, tag: str) -> None:
    own = ' lang="fr" dir="ltr"'
    assert client.get("/").text.count(own) == 2, "title and summary in a list"
    page = client.get("/articles/un-texte").text
    assert f'<h1 class="p-name"{own}>' in page
    assert f'<div class="prose e-content"{own}>' in page
    assert own not in client.get("/articles/a-piece").text.split("<section")[0]


def test_what_is_refused_and_what_breaks_speak_as_well(app: Flask, client: FlaskClient, tag: str) -> None:
    words = {"en": "Something broke on our side", "de": "kaputtgegangen", "ar": "حدث عطل لدينا"}
    way = SPOKEN[tag][0]
    refused = client.post("/archive")
    assert (refused.status_code, f'<html lang="{tag}" dir="{way}">' in refused.text) == (405, True)
    app.jinja_env.filters["long_date"] = lambda _value: 1 / 0
    broken = client.get("/")
    assert broken.status_code == 500
    assert f'<html lang="{tag}" dir="{way}">' in broken.text
    assert words[tag] in broken.text


def test_authors_dates_and_counts_are_said_as_the_language_does(client: FlaskClient, tag: str) -> None:
    page, archive = client.get("/articles/a-piece").text, client.get("/archive").text
    last = {"en": "</a> and <a", "de": "</a> und <a", "ar": "</a> و<a"}[tag]
    assert last in page
    assert {"en": "4 min read", "de": "4 Min. Lesezeit", "ar": "قراءة 4 دقائق"}[tag] in page
    assert {"en": "2 articles, newest", "de": "2 Artikel, die", "ar": "مقالان، الأحدث"}[tag] in archive
