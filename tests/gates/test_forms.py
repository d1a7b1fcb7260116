"""Everything that can be filled in has a label of its own, and every form works by being sent.

The rules of axe take a placeholder for a name; it vanishes at the first letter.
"""

import pytest
from playwright.sync_api import Browser, Page

from tests.gates.conftest import Seeded
from tests.gates.tools import none_of
from tests.gates.visits import Visit, show, tab

pytestmark = pytest.mark.gates

UNNAMED = """() => [...document.querySelectorAll('input, select, textarea')]
  .filter(field => !['hidden', 'submit', 'button'].includes(field.type))
  .filter(field => ![...field.labels].some(label => label.textContent.trim()))
  .map(field => 'no label: ' + field.outerHTML.slice(0, 120))"""
UNSENDABLE = """() => [...document.forms]
  .filter(form => !form.querySelector('button:not([type]), button[type=submit], input[type=submit]'))
  .map(form => 'no button: ' + form.outerHTML.slice(0, 120))"""


def complaints(page: Page, made: Visit) -> list[str]:
    """Return the fields without a label and the forms without a button."""
    show(page, made, settled=False)
    return [f"{made.name}: {said}" for said in [*page.evaluate(UNNAMED), *page.evaluate(UNSENDABLE)]]


def test_every_field_has_a_label_and_every_form_a_button(browser: Browser, visits: list[Visit]) -> None:
    with tab(browser) as page:
        none_of([said for made in visits for said in complaints(page, made)])
        page.goto(next(made.url for made in visits if made.name == "subscribe"))
        assert page.locator("input:visible").count() >= 5


def test_a_field_named_by_its_placeholder_is_found(browser: Browser, seeded: Seeded) -> None:
    with tab(browser) as page:
        said = complaints(page, seeded.visit)
    assert [line.partition(": ")[2].partition(":")[0] for line in said] == ["no label", "no button"]
