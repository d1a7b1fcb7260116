"""A page as it was answered once, to be shown again and again: what a button does, it does once only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.browser.gallery import Picture

#: Fonts and images are there; nobody waits for pictures further down.
SETTLED = """async () => {
  for (const image of document.images) image.loading = 'eager';
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
  await document.fonts.ready;
}"""


@dataclass(frozen=True)
class Visit:
    """What the site answered: the address it ended at, the status, the source as sent, the headers."""

    name: str
    url: str
    status: int
    source: str
    headers: dict[str, str] = field(default_factory=dict)
    #: Asked again, the address shows something else: the answer to a button, or a failure by its number.
    once: bool = False


def visit(page: Page, site: str, picture: Picture) -> Visit:
    """Open a page of the gallery, press what is to be pressed, and keep the answer."""
    answer = picture.open(page, site)
    headers = {"content-type": "text/html; charset=utf-8"} | {
        name: value for name, value in answer.headers.items() if name == "content-security-policy"
    }
    once = bool(picture.press) or answer.status >= 500
    return Visit(picture.name, answer.url, answer.status, answer.text(), headers, once)


@contextmanager
def tab(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a tab with its own cookies and window."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    yield context.new_page()
    context.close()


def show(page: Page, made: Visit, settled: bool = True) -> None:
    """Show a visit again as it was answered; fonts, styles and images come from the site."""

    def answer(route: Route) -> None:
        route.fulfill(status=made.status, headers=made.headers, body=made.source)

    # A tab that answers for the server keeps nothing: styles and fonts would be loaded for each page again.
    page.unroute_all()
    if made.once:
        page.route(made.url, answer)
    page.goto(made.url)
    if settled:
        page.evaluate(SETTLED)
