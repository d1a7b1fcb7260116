"""The open page follows what is written, under a policy that allows no script but the preview's own."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.content.folders import write
from tests.previewing import previewed

pytestmark = pytest.mark.browser

DRAFT = "---\ntitle: Mine\ndate: 2026-01-05\ndraft: true\n---\n"


def test_a_saved_file_is_on_the_open_page_at_once(browser: Browser, tmp_path: Path) -> None:
    path = write(tmp_path, "articles/mine.md", DRAFT + "First words.\n")
    for number in range(30):
        write(tmp_path, f"articles/{number}.md", f"---\ntitle: {number}\ndate: 2026-01-05\n---\nWords.\n")
    with previewed(tmp_path) as (site, _):
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        page.goto(f"{site}/articles/mine")
        expect(page.get_by_text("First words.").first).to_be_visible()
        time.sleep(0.3)  # the connection is made after the page
        began = time.monotonic()
        path.write_text(DRAFT + "Second words.\n")
        page.get_by_text("Second words.").first.wait_for(timeout=5000)
        print(f"on the page after {(time.monotonic() - began) * 1000:.0f} ms")
        path.write_text("---\ntitle: [Mine\n---\n")
        expect(page.get_by_text("articles/mine.md:3")).to_be_visible()
        expect(page.get_by_text("Second words.").first).to_be_visible()
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.close()
    assert complaints == []
