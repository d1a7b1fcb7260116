"""The search page in each of its states."""

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from blog.articles import search_texts
from blog.db import Database
from tests.factories import make_article
from tests.site.pages import read


@pytest.fixture(autouse=True)
def searchable(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        for number in range(23):
            make_article(session, f"crowd-{number}", text="Part of <the> crowd.", topics=["quiet"])
        search_texts.refresh(session)


def test_results_are_counted_marked_dated_and_escaped(client: FlaskClient) -> None:
    page = client.get("/search?q=thinking").text
    assert '<p class="by" role="status">1 article for “thinking”</p>' in page
    assert "Systems &lt;<mark>Thinking</mark>&gt; First</a>" in page
    assert "May 30, 2025" in page
    assert 'href="/topics/systems"' in page


@pytest.mark.parametrize("typed", ['"systems thinking"', "„systems thinking“", "«systems thinking»"])
def test_a_quoted_phrase_is_named_with_one_pair_of_quotes_and_kept_as_it_was_typed(
    client: FlaskClient, typed: str
) -> None:
    page = client.get("/search", query_string={"q": typed}).text
    assert '<p class="by" role="status">1 article for “systems thinking”</p>' in page
    assert f'value="{escape(typed)}"' in page
    beside = client.get("/search", query_string={"q": f"{typed} first"}).text
    assert f"1 article for “{escape(typed)} first”" in beside


def test_many_results_come_in_pages(client: FlaskClient) -> None:
    first, second = client.get("/search?q=crowd").text, client.get("/search?q=crowd&page=2").text
    assert "23 articles for “crowd”, 1 to 20 shown" in first
    assert 'rel="next" href="/search?q=crowd&amp;page=2"' in first
    assert "21 to 23 shown" in second
    assert 'rel="prev" href="/search?q=crowd"' in second
    assert "Back to the first one" in client.get("/search?q=crowd&page=9").text
    assert "Part of &lt;the&gt; <mark>crowd</mark>" in first


def test_nothing_asked_and_nothing_found_are_answers_too(client: FlaskClient) -> None:
    assert "Look for a word" in client.get("/search").text
    assert "Look for a word" in client.get("/search?q=%20&page=x").text
    page = client.get("/search?q=crowt").text
    assert 'Did you mean <a href="/search?q=crowd">crowd</a>?' in page
    assert "No article for “crowt”" in page
    assert "Try fewer words" in page


@pytest.mark.parametrize(
    "query", ["", "?q=crowd", "?q=zzzzz", "?q=crowd&page=2", "?q=%22%3Cb%3E%00", "?q=%ff"]
)
def test_the_page_keeps_the_house_rules_and_stays_out_of_search_engines(
    client: FlaskClient, query: str
) -> None:
    answer = client.get(f"/search{query}")
    page = read(answer.text)
    assert answer.status_code == 200
    assert page.inline() == []
    assert page.unlabelled() == []
    assert [form["method"] for form in page.all("form")] == ["get"]
    assert len(page.all("search")) == 1
    assert {"name": "robots", "content": "noindex, follow"} in page.all("meta")
    assert answer.headers["X-Robots-Tag"] == "noindex, follow"
    assert answer.headers["Cache-Control"] == "public, max-age=60"


def test_a_missing_page_offers_the_search_and_browsers_are_told_of_it(client: FlaskClient) -> None:
    missing = read(client.get("/articles/nothing-of-the-kind").text)
    assert len(missing.all("search")) == 1
    assert any(link.get("href") == "/opensearch.xml" for link in missing.all("link"))
    described = client.get("/opensearch.xml")
    assert described.mimetype == "application/opensearchdescription+xml"
    assert "https://news.example.org/search?q={searchTerms}" in described.text
