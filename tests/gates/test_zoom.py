"""At twice the size, or with the spacing that some readers need, nothing is cut off and nothing runs wide."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.gates.conftest import Seeded
from tests.gates.tools import none_of
from tests.gates.visits import Visit, show, tab

pytestmark = pytest.mark.gates

#: WCAG 2.2, 1.4.12.
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important }
* { word-spacing: .16em !important }
p { margin-block-end: 2em !important }"""
#: A page of 1280 pixels at 200 % is one of 640 (1.4.4); 320 is the same at 400 % (1.4.10).
ZOOMED = {"zoomed to 200 %": (640, ""), "zoomed to 400 %": (320, "")}
SPREAD = {"spaced": (1280, SPACED), "spaced, on a phone": (320, SPACED)}
#: In a browser whose reader asks for letters twice the size, at which the measures of a style sheet grow too.
ENLARGED = {"letters twice the size": (1280, ""), "letters twice the size, on a phone": (360, "")}
TWICE = ["--no-sandbox", "--blink-settings=defaultFontSize=32,defaultFixedFontSize=26"]
#: Clipped on purpose: what only listeners get (one pixel in size), and what can be scrolled.
CUT = """() => {
  const root = document.documentElement;
  const said = root.scrollWidth > root.clientWidth ? [`wider by ${root.scrollWidth - root.clientWidth}`] : [];
  for (const element of document.body.querySelectorAll('*')) {
    if (element.closest('svg') || !element.innerText?.trim() || element.clientWidth <= 1) continue;
    const style = getComputedStyle(element);
    for (const [overflow, over] of [
      [style.overflowX, element.scrollWidth - element.clientWidth],
      [style.overflowY, element.scrollHeight - element.clientHeight],
    ])
      if (['hidden', 'clip'].includes(overflow) && over > 2)
        said.push(`cut by ${over}: ${element.outerHTML.slice(0, 100)}`);
  }
  return said;
}"""


def complaints(page: Page, made: Visit, ways: dict[str, tuple[int, str]]) -> list[str]:
    """Return where a page is cut off or too wide, whichever way it is enlarged."""
    show(page, made, settled=False)
    said = []
    for way, (width, style) in ways.items():
        page.set_viewport_size({"width": width, "height": 450})
        added = page.add_style_tag(content=style or " ")
        said += [f"{made.name} {way}: {line}" for line in page.evaluate(CUT)]
        added.evaluate("element => element.remove()")
    return said


@pytest.fixture(scope="module")
def large(browser: Browser, chromium: str) -> Iterator[Browser]:
    """A browser whose letters are twice the usual size."""
    made = browser.browser_type.launch(executable_path=chromium, args=TWICE)
    yield made
    made.close()


def test_nothing_is_cut_off_or_too_wide_when_zoomed_or_spaced(browser: Browser, visits: list[Visit]) -> None:
    with tab(browser, bypass_csp=True) as page:
        none_of([said for made in visits for said in complaints(page, made, ZOOMED | SPREAD)])


def test_letters_can_be_twice_the_size(large: Browser, visits: list[Visit]) -> None:
    with tab(large, bypass_csp=True) as page:
        none_of([said for made in visits for said in complaints(page, made, ENLARGED)])
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"


def test_what_is_cut_off_or_too_wide_is_found(browser: Browser, large: Browser, seeded: Seeded) -> None:
    with tab(browser, bypass_csp=True) as page, tab(large, bypass_csp=True) as enlarged:
        said = complaints(page, seeded.visit, ZOOMED | SPREAD)
        said += complaints(enlarged, seeded.visit, ENLARGED)
    assert any("zoomed to 200 %: wider by" in line for line in said), said
    assert any("spaced: cut by" in line for line in said), said
    assert any("letters twice the size, on a phone: wider by" in line for line in said), said
