"""Without script a page says the same, and for whoever asks for less motion nothing moves."""

import pytest
from playwright.sync_api import Browser, Page

from tests.gates.conftest import Seeded
from tests.gates.tools import none_of
from tests.gates.visits import Visit, show, tab

pytestmark = pytest.mark.gates

MOVING = """() => document.getAnimations()
  .filter(({playState, effect, timeline}) => playState === 'running' && timeline === document.timeline
    && effect.getComputedTiming().duration > 1)
  .map(({effect}) => 'moves: ' + effect.target.outerHTML.slice(0, 100))"""


def said_differently(pages: tuple[Page, Page], made: Visit) -> list[str]:
    """Return whether the words of a page depend on a script."""
    for page in pages:
        show(page, made, settled=False)
    with_script, without = (page.inner_text("body") for page in pages)
    assert without.strip()
    return [] if with_script == without else [made.name]


def moving(page: Page, made: Visit) -> list[str]:
    """Return what moves by itself on a page."""
    show(page, made, settled=False)
    return [f"{made.name}: {said}" for said in page.evaluate(MOVING)]


def test_every_page_says_the_same_without_script(browser: Browser, visits: list[Visit]) -> None:
    with tab(browser) as page, tab(browser, java_script_enabled=False) as plain:
        none_of([name for made in visits for name in said_differently((page, plain), made)])


def test_nothing_moves_for_whoever_asks_for_less_motion(browser: Browser, visits: list[Visit]) -> None:
    with tab(browser, reduced_motion="reduce") as page:
        none_of([said for made in visits for said in moving(page, made)])


def test_words_that_a_script_brings_and_motion_are_found(browser: Browser, seeded: Seeded) -> None:
    with tab(browser) as page, tab(browser, java_script_enabled=False) as plain:
        assert said_differently((page, plain), seeded.visit) == ["seeded"]
        assert len(moving(page, seeded.visit)) == 1
