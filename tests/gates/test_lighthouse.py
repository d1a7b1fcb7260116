"""Lighthouse finds nothing to better on the pages that people land on, on a phone and at a desk."""

import json

import pytest

from tests.browser.gallery import Stage
from tests.gates.conftest import Seeded
from tests.gates.tools import none_of, run_script

pytestmark = pytest.mark.gates

PAGES = ("article", "home", "topic", "digest", "subscribe")
#: A run under load is slower than the page, never faster: the best of so many counts.
TRIES = 8
#: What the pages promise in milliseconds, and as the share of the window that moves while it loads.
LIMITS = {
    "largest-contentful-paint": 2000.0,
    "cumulative-layout-shift": 0.02,
    # No page runs a script: what could block is parsing and layout, on a phone four times as slow as this.
    "total-blocking-time": 0.0,
}


def complaints(node: str, chromium: str, presets: str, tries: int, *addresses: str) -> list[str]:
    """Return each mark below a hundred and each metric above its limit, with what cost it."""
    said = []
    for run in run_script(
        node, "lighthouse.mjs", chromium, str(tries), presets, json.dumps(LIMITS), *addresses
    ):
        page = f"{run['address']} {run['preset']}, best of {run['runs']}"
        marks, metrics = run["marks"], run["metrics"]
        print(f"{page}: {'/'.join(str(mark) for mark in marks.values())}", metrics)
        said += [f"{page}: {name} {mark} {run['lost']}" for name, mark in marks.items() if mark < 100]
        said += [f"{page}: {name} {metrics[name]}" for name, most in LIMITS.items() if metrics[name] > most]
    return said


def test_lighthouse_gives_the_best_marks(node: str, chromium: str, gallery: Stage, served: str) -> None:
    where = {picture.name: picture.address for picture in gallery.pictures}
    none_of(complaints(node, chromium, "mobile,desktop", TRIES, *(served + where[name] for name in PAGES)))


def test_lighthouse_marks_a_faulty_page_down(node: str, chromium: str, seeded: Seeded) -> None:
    said = "\n".join(complaints(node, chromium, "mobile", 1, f"{seeded.site}/heavy"))
    for mark in ("accessibility", "best-practices", "seo", "largest-contentful-paint", "total-blocking-time"):
        assert f": {mark} " in said, said
