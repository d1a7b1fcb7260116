"""No page breaks a rule of axe, in either scheme, on a phone of 320 pixels or at a desk."""

from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from tests.gates.conftest import Seeded
from tests.gates.tools import MODULES, none_of
from tests.gates.visits import Visit, show, tab

pytestmark = pytest.mark.gates

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async tags => (await axe.run(document, {
  runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], elementRef: false,
})).violations.map(rule => `${rule.id}: ${rule.nodes[0].html.slice(0, 160)} (${rule.nodes.length})`)"""
WIDTHS, SCHEMES = (1280, 320), ("light", "dark")


def violations(page: Page, made: Visit) -> list[str]:
    """Return the rules that a page breaks, at every width and in both schemes."""
    show(page, made)
    page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text())
    found = []
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{made.name} {width} {scheme}: {rule}" for rule in page.evaluate(RUN, RULES)]
    return found


def test_no_page_breaks_a_rule(browser: Browser, node: str, visits: list[Visit]) -> None:
    with tab(browser, bypass_csp=True, reduced_motion="reduce") as page:
        none_of([rule for made in visits for rule in violations(page, made)])


def test_broken_rules_are_found(browser: Browser, node: str, seeded: Seeded) -> None:
    with tab(browser, bypass_csp=True, reduced_motion="reduce") as page:
        broken = "\n".join(violations(page, seeded.visit))
    for rule in (
        *("color-contrast", "image-alt", "html-has-lang", "document-title", "button-name", "meta-viewport"),
        *("heading-order", "landmark-one-main", "region", "tabindex"),
    ):
        assert f": {rule}: " in broken, broken
