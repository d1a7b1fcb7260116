"""Without script a page says the same, and for whoever asks for less motion nothing moves."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.gallery.refusals import FLOOD
from tests.gates.conftest import Seeded
from tests.gates.tools import none_of
from tests.gates.visits import Visit, show, tab

pytestmark = pytest.mark.gates

MOVING = """() => document.getAnimations()
  .filter(({playState, effect, timeline}) => playState === 'running' && timeline === document.timeline
    && effect.getComputedTiming().duration > 1)
  .map(({effect}) => 'moves: ' + effect.target.outerHTML.slice(0, 100))"""


def complaints(page: Page, plain: Page, made: Visit) -> list[str]:
    """Return whether the words of a page depend on a script, and what moves on it by itself."""
    for one in (page, plain):
        show(one, made, settled=False)
    said = page.evaluate(MOVING)
    assert plain.inner_text("body").strip()
    said += (
        [] if page.inner_text("body") == plain.inner_text("body") else ["says something else without script"]
    )
    return [f"{made.name}: {line}" for line in said]


def test_every_page_says_the_same_without_script_and_stays_still(
    browser: Browser, visits: list[Visit]
) -> None:
    with tab(browser, reduced_motion="reduce") as page, tab(browser, java_script_enabled=False) as plain:
        said = [line for made in visits for line in complaints(page, plain, made)]
    works = f"{FLOOD}: says something else without script"
    assert works in said
    none_of([line for line in said if line != works])


def test_words_that_a_script_brings_and_motion_are_found(browser: Browser, seeded: Seeded) -> None:
    with tab(browser, reduced_motion="reduce") as page, tab(browser, java_script_enabled=False) as plain:
        moves, differs = complaints(page, plain, seeded.visit)
    assert "moves: <div" in moves
    assert differs == "seeded: says something else without script"
