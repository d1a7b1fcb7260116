"""The Tab key reaches all there is to use, in the order of reading, shows where it is, and gets out."""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from tests.gates.conftest import Seeded
from tests.gates.tools import none_of
from tests.gates.visits import Visit, show, tab

pytestmark = pytest.mark.gates

#: Writes down each stop of the walk and what can be seen there; a date stops the key several times.
FOLLOW = """() => {
  const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const seen = element => element.checkVisibility({visibilityProperty: true});
  const chosen = element => element.type !== 'radio' || element.checked
    || !document.querySelector(`input[name="${element.name}"]:checked`);
  window.due = [...document.querySelectorAll(usable)]
    .filter(element => seen(element) && chosen(element) && element.tabIndex >= 0 && !element.disabled);
  window.stops = [];
  addEventListener('focusin', ({target}) => {
    window.out ||= target === window.stops[0]?.element;
    if (window.out) return;
    // A hidden choice shows its focus on the label that stands for it.
    const signs = [target, ...(target.labels ?? []), ...(target.parentElement?.children ?? [])];
    const shown = signs.some(element => {
      const style = getComputedStyle(element);
      return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    });
    const box = target.getBoundingClientRect();
    const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight
      && box.right > 0 && box.left < innerWidth;
    window.stops.push({element: target, shown, inside});
  });
}"""
WALKED = """() => window.out || (window.stops.length > 0 && document.activeElement === document.body)"""
TOLD = """ended => {
  const name = element => element.outerHTML.slice(0, 100);
  const stops = window.stops.map(stop => stop.element);
  const said = ended ? [] : ['does not get out of: ' + name(document.activeElement)];
  for (const element of window.due) if (!stops.includes(element)) said.push('not reached: ' + name(element));
  window.stops.forEach(({element, shown, inside}, at) => {
    if (!shown) said.push('no sign of focus: ' + name(element));
    if (!inside) said.push('out of sight: ' + name(element));
    if (at && !(stops[at - 1].compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING))
      said.push('out of turn: ' + name(element));
  });
  return said;
}"""
#: Presses beyond one for each thing to use: the parts of a date, scrolled boxes, the way round.
MORE = 40


def complaints(page: Page, made: Visit) -> list[str]:
    """Walk through a page by the Tab key and return what went wrong."""
    # From the top, wherever the page puts the focus at first.
    if " autofocus" in made.source:
        made = replace(made, source=made.source.replace(" autofocus", ""), once=True)
    show(page, made, settled=False)
    page.evaluate(FOLLOW)
    ended, presses = False, page.evaluate("window.due.length") + MORE
    while not ended and presses > 0:
        for _ in range(min(10, presses)):
            page.keyboard.press("Tab")
        presses -= 10
        ended = bool(page.evaluate(WALKED))
    return [f"{made.name}: {said}" for said in page.evaluate(TOLD, ended)]


@pytest.mark.parametrize("width", [1280, 320])
def test_the_keyboard_reaches_everything_in_order(browser: Browser, visits: list[Visit], width: int) -> None:
    with tab(browser, viewport={"width": width, "height": 900}) as page:
        none_of([said for made in visits for said in complaints(page, made)])


def test_a_trap_a_stop_out_of_turn_and_a_hidden_focus_are_found(browser: Browser, seeded: Seeded) -> None:
    with tab(browser) as page:
        said = "\n".join(complaints(page, seeded.visit))
    for fault in (
        'does not get out of: <button id="trap"',
        'not reached: <a href="/">After the trap',
        'no sign of focus: <a href="/gone"',
        "out of turn: ",
    ):
        assert fault in said, said


def test_a_reader_signs_up_by_keyboard_alone(browser: Browser, visits: list[Visit]) -> None:
    home = next(made for made in visits if made.name == "home")
    with tab(browser) as page:
        page.goto(home.url)
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "email":
                break
        page.keyboard.type("keys@example.org")
        page.keyboard.press("Enter")
        page.wait_for_url("**/subscribe*")
        assert page.inner_text("h1") == "Almost there. Check your inbox."
