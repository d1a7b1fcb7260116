"""What the style sheets promise on paper, to readers with wishes of their own, and beside a wide text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request

pytestmark = pytest.mark.browser

#: An article with two notes, a table, code and contents.
ARTICLE = "/articles/what-a-model-card-cannot-tell-you"
PAGES = ("/", ARTICLE, "/topics/security", "/subscribe")
#: Elements with words of their own that can hardly be told from the ground behind them, or from a given one.
FAINT = """([least, within, ground]) => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = colour => rgba(colour).slice(0, 3).map(part => part / 255)
    .map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [.2126, .7152, .0722][index], .05);
  const behind = element => {
    const {backgroundColor} = element ? getComputedStyle(element) : {backgroundColor: 'Canvas'};
    return rgba(backgroundColor)[3] === 255 ? backgroundColor : behind(element.parentElement);
  };
  const worded = [...document.querySelectorAll(within)].filter(element => element.checkVisibility()
    && [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  return worded.length ? worded.flatMap(element => {
    const both = [light(getComputedStyle(element).color), light(ground || behind(element))];
    const contrast = Math.max(...both) / Math.min(...both);
    return contrast < least ? [`${contrast.toFixed(2)}: ${element.outerHTML.slice(0, 80)}`] : [];
  }) : ['no words at all'];
}"""
SHOWN = (
    "selectors => selectors.filter(one => [...document.querySelectorAll(one)].some(e => e.checkVisibility()))"
)
STYLE = "([one, name, pseudo]) => getComputedStyle(document.querySelector(one), pseudo)[name]"
BOX = """selector => {
  const {left, right, top, bottom} = document.querySelector(selector).getBoundingClientRect();
  return {left, right, top: top + scrollY, bottom: bottom + scrollY};
}"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MOTION = "document.getAnimations().map(one => [one.animationName, one.timeline.constructor.name])"
#: What a view transition does to the page, when it is revealed; nothing where there is none.
REVEALED = """addEventListener('pagereveal', ({viewTransition}) => {
  window.revealed = viewTransition ? viewTransition.ready.then(() =>
    document.getAnimations().filter(one => one.timeline === document.timeline)
      .map(one => one.effect.getComputedTiming().duration)) : null;
})"""
TRANSITIONS = """[...document.styleSheets].flatMap(function within(rule) {
  return [...rule.cssRules].flatMap(one => one.constructor.name !== 'CSSViewTransitionRule'
    ? one.cssRules ? within(one) : [] : [[one.navigation, one.parentRule.conditionText]]);
})"""
LINK = """address => document.querySelector('h1').insertAdjacentHTML('afterend',
  `<p><a href="${address}">${address}</a></p>`)"""
ON_SCREEN_ONLY = [".mast nav", ".foot", ".signup form", ".toc", ".after", ".reading + .wrap", ".anchor"]


@contextmanager
def opened(browser: Browser, address: str, **wishes: Any) -> Iterator[Page]:
    """Open an address in a tab of its own, at 1280 pixels unless something else is wished for."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **wishes})
    page = context.new_page()
    page.add_init_script(REVEALED)
    page.goto(address)
    page.evaluate("document.fonts.ready.then(() => null)")
    yield page
    context.close()


def style(page: Page, selector: str, name: str, pseudo: str | None = None) -> Any:
    """Return a property as the browser computed it."""
    return page.evaluate(STYLE, [selector, name, pseudo])


def test_paper_carries_the_text_and_nothing_to_press(browser: Browser, site: str) -> None:
    text = ["h1", ".by", ".prose > p", ".prose pre", ".footnote li"]
    with opened(browser, site + ARTICLE) as page:
        assert page.evaluate(SHOWN, text + ON_SCREEN_ONLY) == text + ON_SCREEN_ONLY
        page.emulate_media(media="print")
        assert page.evaluate(SHOWN, text + ON_SCREEN_ONLY) == text
        assert page.evaluate(SHOWN, ["nav a", "form", "button", "input", ".mast", ".skip", ".cards"]) == []
        assert style(page, ".reading", "display", "::before") == "none"


def test_paper_is_dark_on_white_even_from_a_dark_screen(browser: Browser, site: str) -> None:
    with opened(browser, site, color_scheme="dark") as page:
        assert style(page, "body", "backgroundColor") == "rgb(11, 16, 22)"
        page.emulate_media(media="print")
        for address in PAGES[:3]:
            page.goto(site + address)
            assert style(page, "body", "backgroundColor") == "rgb(255, 255, 255)"
            # A printer leaves grounds out, so every word is held against the bare paper.
            assert page.evaluate(FAINT, [4.5, "body *", "white"]) == []


def test_paper_tells_where_a_link_leads_and_wraps_what_cannot_be_scrolled(
    browser: Browser, site: str
) -> None:
    with opened(browser, site + ARTICLE) as page:
        page.evaluate(
            "document.querySelector('.prose').insertAdjacentHTML('afterbegin',"
            "'<p><a id=out href=https://example.org/x>Out</a> <a id=own href=/about>Own</a></p>')"
        )
        assert style(page, "#out", "content", "::after") == "none"
        page.emulate_media(media="print")
        assert style(page, "#out", "content", "::after") == '" (https://example.org/x)"'
        assert style(page, "#own", "content", "::after") == "none"
        assert style(page, ".prose pre", "whiteSpace") == "pre-wrap"
        assert {style(page, f".prose {one}", "breakInside") for one in ("pre", "table")} == {"avoid"}
        assert style(page, ".prose h2", "breakAfter") == "avoid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whoever_asks_for_contrast_gets_ink_for_muted_words(browser: Browser, site: str, scheme: str) -> None:
    muted = (".dek", ".by", ".foot", ".card .m", ".signup .small")
    text = ".prose :is(p, li, td, dt, dd), .dek, .by"
    with opened(browser, site + ARTICLE, color_scheme=scheme) as page:
        ink = style(page, "body", "color")
        assert ink not in {style(page, one, "color") for one in muted}
        page.emulate_media(contrast="more")
        assert {style(page, one, "color") for one in muted} == {ink}
        assert page.evaluate(FAINT, [7, text, ""]) == []
        assert style(page, ".mast", "borderBottomColor") == style(page, ".tags a", "borderTopColor")


def test_whoever_asks_for_contrast_gets_the_sign_up_on_plain_paper_between_lines(
    browser: Browser, site: str
) -> None:
    with opened(browser, site, contrast="more") as page:
        assert style(page, ".signup", "borderBottomWidth") == "1px"
        assert style(page, ".signup", "backgroundColor") == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_forced_colours_every_word_can_be_read(browser: Browser, site: str, scheme: str) -> None:
    with opened(browser, site, color_scheme=scheme, forced_colors="active") as page:
        for address in PAGES:
            page.goto(site + address)
            assert page.evaluate(FAINT, [4.5, "body *", ""]) == []


def test_in_forced_colours_every_control_and_the_focus_has_an_edge(browser: Browser, site: str) -> None:
    with opened(browser, f"{site}/subscribe", color_scheme="dark", forced_colors="active") as page:
        canvas = style(page, "body", "backgroundColor")
        for one in ("main .btn", "input[type=email]"):
            assert [style(page, one, f"borderTop{name}") for name in ("Style", "Width")] == ["solid", "1px"]
            assert style(page, one, "borderTopColor") != canvas
        for _ in range(12):
            page.keyboard.press("Tab")
            assert style(page, ":focus", "outlineStyle") == "solid"
            assert style(page, ":focus", "outlineWidth") == "3px"
            assert style(page, ":focus", "outlineColor") != canvas


def test_in_forced_colours_what_was_a_ground_has_a_line(browser: Browser, site: str) -> None:
    with opened(browser, site + ARTICLE, forced_colors="active") as page:
        page.evaluate("document.querySelector('.prose pre').innerHTML += '<span class=hll>marked</span>'")
        assert style(page, ".hll", "outlineStyle") == "solid"
        assert style(page, ".signup", "borderBottomStyle") == "solid"
        assert style(page, ".prose > p:has(+ .footnote)", "outlineStyle", "::after") == "solid"
        line = style(page, ".reading", "backgroundColor", "::before")
        assert line != style(page, "body", "backgroundColor")


def test_whoever_asks_for_stillness_gets_it_on_every_timeline(browser: Browser, site: str) -> None:
    with opened(browser, site, reduced_motion="reduce") as page:
        for address in PAGES:
            page.goto(site + address)
            page.mouse.wheel(0, 600)
            assert page.evaluate(MOTION) == []
        page.click(".mast nav a")
        page.wait_for_url(f"{site}/")
        assert page.evaluate("window.revealed") is None


def test_the_line_of_progress_follows_the_reader(browser: Browser, site: str) -> None:
    with opened(browser, site + ARTICLE, reduced_motion="no-preference") as page:
        assert page.evaluate("CSS.supports('animation-timeline: scroll()')")
        assert page.evaluate(MOTION) == [["read", "ScrollTimeline"]]
        assert style(page, ".reading", "transform", "::before") == "matrix(0, 0, 0, 1, 0, 0)"
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.evaluate("new Promise(requestAnimationFrame)")
        assert style(page, ".reading", "transform", "::before") == "matrix(1, 0, 0, 1, 0, 0)"


def test_a_step_within_the_site_is_a_short_transition_for_those_who_do_not_mind(
    browser: Browser, site: str
) -> None:
    with opened(browser, site, reduced_motion="no-preference") as page:
        assert page.evaluate(TRANSITIONS) == [["auto", "(prefers-reduced-motion: no-preference)"]]
        assert page.evaluate("window.revealed") is None, "there was no page to come from"
        page.click("main h3 a")
        page.wait_for_url("**/articles/*")
        assert set(page.evaluate("window.revealed")) == {140}


def test_beside_a_wide_text_stand_its_notes_and_its_contents(browser: Browser, site: str) -> None:
    with opened(browser, site + ARTICLE) as page:
        prose, contents = page.evaluate(BOX, ".prose"), page.evaluate(BOX, ".toc")
        for number in (1, 2):
            note, reference = page.evaluate(BOX, f".note-{number}"), page.evaluate(BOX, f".ref-{number}")
            assert prose["right"] < note["left"] < note["right"] <= 1280
            assert abs(note["top"] - reference["top"]) < 12
        assert contents["right"] < prose["left"]
        assert page.get_by_role("navigation", name="Contents").get_by_role("link").first.is_visible()
        assert style(page, ".toc", "position") == "sticky"
        page.evaluate("scrollTo(0, 2000)")
        assert page.evaluate(BOX, ".toc")["top"] - 2000 == pytest.approx(24, abs=1)


def test_notes_in_the_margin_cover_nothing_that_stands_there_too(browser: Browser, site: str) -> None:
    with opened(browser, f"{site}/articles/every-message-arrives-twice") as page:
        # As if the note belonged to the last words before what follows.
        page.evaluate(
            "document.querySelector('p:has(+ .admonition)').append(document.querySelector('.ref-1'))"
        )
        note, following = page.evaluate(BOX, ".note-1"), page.evaluate(BOX, ".prose > .admonition")
        apart = note["left"] >= following["right"] or note["bottom"] <= following["top"]
        assert apart, (note, following)


def test_on_a_phone_the_contents_are_folded_and_the_notes_stand_at_the_end(
    browser: Browser, site: str
) -> None:
    with opened(browser, site + ARTICLE, viewport={"width": 360, "height": 800}) as page:
        contents, prose = page.evaluate(BOX, ".toc"), page.evaluate(BOX, ".prose")
        assert contents["bottom"] <= prose["top"]
        assert not page.locator(".toc a").first.is_visible()
        last = page.evaluate(BOX, ".prose > p:has(+ .footnote)")
        for number in (1, 2):
            note = page.evaluate(BOX, f".note-{number}")
            assert note["top"] > last["bottom"]
            assert prose["left"] <= note["left"] < note["right"] <= prose["right"]
        page.click(".toc summary")
        assert page.locator(".toc a").first.is_visible()


def test_no_window_is_too_narrow_and_none_too_wide(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        for address in PAGES:
            page.goto(site + address)
            for width in (320, 768, 1280, 1920, 2560):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate(OVERFLOW) == 0, (address, width)


def is_early(request: Request) -> bool:
    return "prefetch" in request.headers.get("sec-purpose", "")


def early(page: Page) -> list[str]:
    """Return a list that fills with the paths that the browser asks for before anybody goes there."""
    asked: list[str] = []
    page.on("request", lambda made: asked.append(urlsplit(made.url).path) if is_early(made) else None)
    return asked


def test_an_article_is_fetched_when_the_reader_is_about_to_open_it(browser: Browser, site: str) -> None:
    said: list[str] = []
    rules: list[dict[str, Any]] = []
    with opened(browser, "about:blank") as page:
        page.on("console", lambda message: said.append(message.text))
        tools = page.context.new_cdp_session(page)
        tools.on("Preload.ruleSetUpdated", lambda event: rules.append(event["ruleSet"]))
        tools.send("Preload.enable")
        page.goto(site, wait_until="networkidle")
        link = page.locator("main h3 a").nth(1)
        with page.expect_request(is_early) as asked:
            link.hover()
        assert asked.value.url == f"{site}{link.get_attribute('href')}"
        assert asked.value.response().status == 200  # type: ignore[union-attr]
        assert [rule["url"] for rule in rules] == [f"{site}/speculation-rules.json"]
        assert "errorType" not in rules[0]
    assert said == []


def test_what_is_behind_a_token_is_never_fetched_early(browser: Browser, site: str) -> None:
    closed = ("confirm", "unsubscribe", "preferences", "account", "move", "restore", "drafts", "dev")
    with opened(browser, site) as page:
        asked = early(page)
        for path in closed:
            page.evaluate(LINK, f"/{path}/forged")
            page.hover(f"[href='/{path}/forged']")
            page.wait_for_timeout(500)
        # That nothing was asked for tells something only where the next link is.
        article = page.locator("main h3 a").nth(1)
        article.hover()
        page.wait_for_timeout(1000)
        assert asked == [article.get_attribute("href")]
        page.goto(f"{site}/unsubscribe/forged")
        page.hover(".mast nav a")
        page.wait_for_timeout(500)
        assert asked[1:] == [], "a page with a token knows no rules"
