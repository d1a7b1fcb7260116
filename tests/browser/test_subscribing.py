"""A reader subscribes, chooses and leaves in a real browser, with scripts switched off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from blog.settings import ROOT
from tests.journeys.installation import Installation, free_port, link_in
from tests.relay import Relay, relay

pytestmark = pytest.mark.browser


@pytest.fixture
def server() -> Iterator[Relay]:
    with relay() as running:
        yield running


@pytest.fixture
def site(server: Relay, tmp_path: Path) -> Iterator[Installation]:
    """The sample publication, served as an operator would."""
    url = f"sqlite:///{tmp_path / 'blog.db'}"
    made = Installation(tmp_path, url, server.port, free_port(), {"BLOG_CONTENT_DIR": str(ROOT / "content")})
    made.blog("db", "upgrade")
    made.blog("sync")
    with made.serving():
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    yield context.new_page()
    context.close()


def test_a_reader_subscribes_under_an_article_chooses_and_leaves(
    site: Installation, server: Relay, page: Page
) -> None:
    page.goto(f"{site.site}/articles/backend-2-0-systems-thinking-first")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_role("button", name="Subscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Almost there. Check your inbox."

    site.blog("worker", "--until-idle")
    page.goto(link_in(server.messages[-1], "/confirm/"))
    page.get_by_role("button").click()
    assert "You are subscribed" in page.inner_text("h1")

    page.get_by_role("link", name="Choose how often").click()
    page.get_by_label("Once a month").check()
    page.get_by_label("Security").check()
    page.get_by_role("button", name="Save").click()
    shown = site.blog_json("subscribers", "show", "ada@example.org")
    assert (shown["status"], shown["cadence"], shown["topics"]) == ("active", "monthly", ["security"])

    issue = site.blog_json("digest", "run", "--cadence", "monthly")
    assert issue["eligible"] == 1
    site.blog("worker", "--until-idle")
    page.goto(link_in(server.messages[-1], "/unsubscribe/"))
    assert site.blog_json("subscribers", "show", "ada@example.org")["status"] == "active"
    page.get_by_role("button", name="Unsubscribe").click()
    assert site.blog_json("subscribers", "show", "ada@example.org")["status"] == "unsubscribed"

    page.goto(f"{site.site}/digests/{issue['issue']}")
    assert "Monthly digest No. 1" in page.inner_text("h1")


def test_a_mistyped_address_is_kept_and_explained(site: Installation, page: Page) -> None:
    page.goto(f"{site.site}/subscribe")
    page.get_by_label("E-mail address").fill("ada@")
    page.get_by_role("button", name="Subscribe").click()
    assert page.get_by_label("E-mail address").input_value() == "ada@"
    assert "looks incomplete" in page.inner_text("main")
