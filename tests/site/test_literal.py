"""Double braces reach readers as they are written: on pages and in feeds."""

from flask.testing import FlaskClient

from blog.db import Database
from tests.factories import make_article

BRACES = "{{ 7 * 7 }} {% raw %}"


def test_braces_in_titles_descriptions_and_texts_are_shown(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        article = make_article(
            session, "braces", title=f"On {BRACES}", html=f"<p>{BRACES}</p>", description=f"About {BRACES}"
        )
        article.excerpt = BRACES
    page = client.get("/articles/braces").text
    assert f'<h1 class="p-name">On {BRACES}</h1>' in page
    assert f"About {BRACES}</p>" in page
    assert f"<p>{BRACES}</p>" in page
    assert f"On {BRACES}" in client.get("/").text
    feed = client.get("/feed.xml").text
    assert f"<title>On {BRACES}</title>" in feed
    assert f"About {BRACES}" in feed
    assert f"&lt;p&gt;{BRACES}&lt;/p&gt;" in feed
