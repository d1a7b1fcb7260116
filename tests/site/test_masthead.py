"""The masthead: the publisher's logo, and the navigation as `site.toml` has it."""

import json
import re
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from PIL import Image

from blog import clock, create_app
from blog.content.checks.report import check
from blog.db import Database
from blog.settings import Settings
from blog.site.logo import HEIGHT as LOGO_HEIGHT
from blog.web.editions import FILE_SECONDS
from tests.content.folders import write
from tests.factories import make_article
from tests.site.pages import read

NAME = 'Signal & "System"'
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="240" height="72"></svg>'
PAGES = ["/", "/articles/a-piece", "/topics/systems", "/archive", "/nothing-of-the-kind"]
NAVIGATION = [
    ("By <topic>", "/topics"),
    ("Elsewhere", "https://elsewhere.example.org/"),
    ("Archive", "/archive"),
    ("Home", "/"),
]
Visit = Callable[..., FlaskClient]


class Navigation(HTMLParser):
    """The links within the first `nav` of a page: label, address, and whether it is the present one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str, str | None]] = []
        self.feed(html[html.index("<nav") : html.index("</nav>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(("", given["href"] or "", given.get("aria-current")))

    def handle_data(self, data: str) -> None:
        if self.links and data.strip():
            self.links[-1] = (data, *self.links[-1][1:])


@pytest.fixture
def visit(settings: Settings, database: Database) -> Iterator[Visit]:
    """Write `site.toml`, and visit a site of one article with it."""
    apps: list[Flask] = []
    with database.transaction() as session:
        make_article(session, "a-piece")

    def made(more: str) -> FlaskClient:
        write(settings.content_dir, "site.toml", f"name = {json.dumps(NAME)}\n{more}\n")
        apps.append(create_app(settings))
        client = apps[-1].test_client()
        client.environ_base["HTTP_HOST"] = "news.example.org"
        return client

    yield made
    for app in apps:
        app.extensions["blog"].database.dispose()


def mark(html: str) -> str:
    """Return what stands in the masthead as the site's mark."""
    found = re.search(r'<a class="mark".*?</a>', html, re.DOTALL)
    assert found
    return found.group()


def published_by(html: str) -> Any:
    """Return the publisher whom a page's data names."""
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found.group(1))["publisher"]


@pytest.mark.parametrize("logo", ["logo.svg", "pictures/our_logo.svg"])
def test_the_logo_stands_in_the_masthead_of_every_page_and_reads_as_the_name(
    visit: Visit, settings: Settings, logo: str
) -> None:
    write(settings.content_dir, logo, LOGO)
    client = visit(f'logo = "{logo}"')
    wanted = {"src": f"/media/{logo}", "alt": NAME, "width": "120", "height": str(LOGO_HEIGHT)}
    for address in PAGES:
        shown = read(mark(client.get(address).text))
        assert (shown.all("img"), shown.text) == ([wanted], "")
    answer = client.get(wanted["src"])
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "image/svg+xml", LOGO)


def test_an_article_names_the_logo_of_its_publisher(visit: Visit, settings: Settings) -> None:
    write(settings.content_dir, "logo.svg", LOGO)
    client = visit('logo = "logo.svg"')
    address = "https://news.example.org/media/logo.svg"
    assert published_by(client.get("/articles/a-piece").text)["logo"] == address
    assert published_by(client.get("/").text)["logo"] == address


def test_without_a_logo_the_name_is_written_and_the_icon_stands_for_it(visit: Visit) -> None:
    client = visit("")
    shown = read(mark(client.get("/").text))
    assert (shown.all("img"), shown.text) == ([], NAME)
    logo = published_by(client.get("/articles/a-piece").text)["logo"]
    assert logo == "https://news.example.org/icon.svg"
    assert client.get("/icon.svg").status_code == 200


@pytest.mark.parametrize("content", [None, "no picture", '<svg width="10" height="0"/>'])
def test_where_the_logo_cannot_be_shown_the_name_is_written(
    visit: Visit, settings: Settings, content: str | None
) -> None:
    if content is not None:
        write(settings.content_dir, "logo.svg", content)
    client = visit('logo = "logo.svg"')
    for address in PAGES[:-1]:
        answer = client.get(address)
        shown = read(mark(answer.text))
        assert (answer.status_code, shown.all("img"), shown.text) == (200, [], NAME)
    assert published_by(client.get("/").text)["logo"] == "https://news.example.org/icon.svg"


def test_a_logo_larger_than_any_screen_costs_no_page(visit: Visit, settings: Settings) -> None:
    Image.new("1", (20_000, 10_000)).save(settings.content_dir / "huge.png")
    client = visit('logo = "huge.png"')
    for address in PAGES[:-1]:
        assert client.get(address).status_code == 200, address


def test_a_logo_that_is_not_there_is_named_in_one_line_and_shown_once_it_is(
    visit: Visit, settings: Settings
) -> None:
    client = visit('logo = "logo.svg"')
    assert read(mark(client.get("/").text)).all("img") == []
    (problem,) = check(settings.content_dir, clock.now()).problems
    assert (problem.file, problem.line, problem.message.partition(":")[0]) == ("site.toml", 2, "logo")
    write(settings.content_dir, "logo.svg", LOGO)
    assert check(settings.content_dir, clock.now()).problems == []
    time.sleep(2 * FILE_SECONDS)
    if settings.database_url.startswith("sqlite"):
        assert len(read(mark(client.get("/").text)).all("img")) == 1


def test_a_page_without_a_description_says_at_least_whose_it_is(visit: Visit) -> None:
    client = visit("")
    for address, said in (("/", escape(NAME)), ("/topics/systems", f"Systems — {escape(NAME)}")):
        assert f'property="og:description" content="{said}"' in client.get(address).text, address


@pytest.mark.parametrize("logo", ["../logo.svg", "/logo.svg", "https://cdn.example.org/logo.svg", "logo.txt"])
def test_a_logo_that_is_no_image_beside_the_file_is_named_in_one_line(
    visit: Visit, settings: Settings, tmp_path: Path, logo: str
) -> None:
    write(tmp_path, "logo.svg", LOGO)
    assert read(mark(visit(f'logo = "{logo}"').get("/").text)).all("img") == []
    (problem,) = check(settings.content_dir, clock.now()).problems
    assert (problem.file, problem.line) == ("site.toml", 2)
    assert problem.message == f"logo: {logo!r} is not understood"


def test_the_navigation_is_what_the_file_says_in_that_order(visit: Visit) -> None:
    rows = [
        f"[[navigation]]\nlabel = {json.dumps(label)}\nurl = {json.dumps(url)}" for label, url in NAVIGATION
    ]
    client = visit("\n".join(rows))
    for address, present in (
        ("/", {"/": "page"}),
        ("/archive", {"/archive": "page"}),
        ("/topics", {"/topics": "page"}),
        ("/topics/systems", {"/topics": "true"}),
        ("/articles/a-piece", {}),
        ("/archived", {}),
    ):
        shown = Navigation(client.get(address).text).links
        assert shown == [(label, url, present.get(url)) for label, url in NAVIGATION], address


def test_a_navigation_that_is_emptied_is_empty(visit: Visit) -> None:
    assert [url for _, url, _ in Navigation(visit("").get("/").text).links][:2] == ["/", "/topics"]
    assert Navigation(visit("navigation = []").get("/").text).links == []
