"""What programs are told: the sitemap in parts, the guide for language models, what may be fetched early."""

import json
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from blog import create_app
from blog.settings import Settings
from blog.site import sitemap

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def test_a_long_sitemap_comes_in_parts(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {url.text for url in ET.fromstring(client.get("/sitemap.xml").text).iter(f"{MAP}loc")}
    monkeypatch.setattr(sitemap, "MOST_ADDRESSES", 4)
    app = create_app(settings)  # which has kept no page from before
    client = app.test_client()
    index = ET.fromstring(client.get("/sitemap.xml").text)
    assert index.tag == f"{MAP}sitemapindex"
    parts = [urlsplit(loc.text or "").path for loc in index.iter(f"{MAP}loc")]
    assert parts[0] == "/sitemaps/1.xml"
    listed = [loc.text for part in parts for loc in ET.fromstring(client.get(part).text).iter(f"{MAP}loc")]
    assert len(listed) == len(whole)
    assert set(listed) == whole
    assert client.get(f"/sitemaps/{len(parts) + 1}.xml").status_code == 404
    assert client.get("/sitemaps/0.xml").status_code == 404
    app.extensions["blog"].database.dispose()


def test_language_models_get_a_guide_in_markdown(client: FlaskClient) -> None:
    answer = client.get("/llms.txt")
    assert answer.mimetype == "text/plain"
    lines = answer.text.splitlines()
    assert lines[0] == "# Signal & System"
    assert lines[2] == "> Insights on AI & security."
    assert (
        "- [Older piece](https://news.example.org/articles/older-piece): What Older piece is about." in lines
    )


def test_a_page_names_the_rules_for_fetching_early_and_nothing_behind_a_mailed_link_is_fetched(
    client: FlaskClient,
) -> None:
    address = client.get("/").headers["Speculation-Rules"].strip('"')
    assert "Speculation-Rules" not in client.get("/feed.xml").headers
    assert "Speculation-Rules" not in client.get("/confirm/forged").headers
    answer = client.get(address)
    assert answer.headers["Content-Type"].startswith("application/speculationrules+json")
    excluded = json.dumps(json.loads(answer.text)["prefetch"][0]["where"])
    for path in ("/confirm/*", "/unsubscribe/*", "/preferences/*"):
        assert path in excluded
