"""The site as a browser sees it: quiet console, nothing too wide, readable without script and by keyboard."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="session")
def addresses(site: str) -> list[str]:
    """Every page of the sitemap, the pages it leaves out, and one that is missing."""
    with urlopen(f"{site}/sitemap.xml") as answer:
        listed = [url.findtext(f"{MAP}loc", "") for url in ET.parse(answer).iter(f"{MAP}url")]
    paths = ["/" + address.split("/", 3)[3] for address in listed]
    assert len([path for path in paths if path.startswith("/articles/")]) >= 12
    return [*paths, "/subscribe", "/digests", "/unsubscribe/forged", "/articles/backend-2"]


@contextmanager
def opened(
    browser: Browser, width: int, scheme: str, script: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """Open a tab; the list fills with whatever the browser complains about."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=script,
    )
    page, complaints = context.new_page(), []
    # A page that is rightly missing (404) is reported as a failed resource; that is no complaint of ours.
    page.on(
        "console",
        lambda said: complaints.append(f"{page.url}: {said.text}") if "404" not in said.text else None,
    )
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    yield page, complaints
    context.close()


def test_no_page_is_too_wide_and_the_console_stays_silent(
    browser: Browser, site: str, addresses: list[str]
) -> None:
    too_wide = []
    with opened(browser, 1280, "light") as (page, complaints):
        for address in addresses:
            page.goto(site + address)
            for scheme, width in product(("light", "dark"), (1280, 360, 320)):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                if page.evaluate(OVERFLOW) > 0:
                    too_wide.append((address, scheme, width))
        assert complaints == []
    assert too_wide == []


def test_everything_is_loaded_from_the_site_itself(browser: Browser, site: str) -> None:
    asked: list[str] = []
    with opened(browser, 1280, "light") as (page, _):
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site}/articles/back-pressure-is-good-manners", wait_until="networkidle")
        assert page.context.cookies() == []
    assert asked
    assert all(address.startswith(site) for address in asked)
    assert not any(address.partition("?")[0].endswith(".js") for address in asked)


def test_a_reader_can_read_and_sign_up_without_script(browser: Browser, site: str) -> None:
    with opened(browser, 360, "light", script=False) as (page, _):
        page.goto(site)
        page.click("main h3 a")
        assert page.locator("article h1").count() == 1
        page.fill("#signup-email", "ada@example")
        page.click("#subscribe button")
        assert "looks incomplete" in page.inner_text("[id=email-error]")
        assert page.input_value("#email") == "ada@example"
        page.fill("#email", "ada@example.com")
        page.click("form button")
        assert page.inner_text("h1") == "Almost there. Check your inbox."


def test_the_first_stop_of_the_keyboard_skips_to_the_content(browser: Browser, site: str) -> None:
    with opened(browser, 1280, "light") as (page, _):
        page.goto(site)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_both_fonts_arrive_and_nothing_moves_when_they_do(browser: Browser, site: str) -> None:
    with opened(browser, 1280, "light") as (page, _):
        page.goto(f"{site}/articles/backend-2-0-systems-thinking-first", wait_until="networkidle")
        loaded = page.evaluate("[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
        assert {"Head", "Text"} <= set(loaded)
        shift = page.evaluate(
            "new Promise(done => new PerformanceObserver(list => done("
            "list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))"
            ".observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))"
        )
        assert shift <= 0.02


def test_the_scheme_follows_the_reader(browser: Browser, site: str) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        with opened(browser, 1280, scheme) as (page, _):
            page.goto(site)
            grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(11, 16, 22)"}
