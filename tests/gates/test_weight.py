"""Pages weigh little: no script, few bytes, and no picture that is loaded before it is wanted."""

import gzip
import re
import urllib.request
from urllib.error import HTTPError
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser

from blog.web import static_files
from tests.browser.gallery import Stage
from tests.browser.gallery.refusals import FLOOD
from tests.gates.conftest import Seeded
from tests.gates.tools import none_of
from tests.gates.visits import Visit, tab

pytestmark = pytest.mark.gates

#: Bytes as sent to whoever takes gzip: the words and their looks; all but the pictures, fonts included.
WORDS, ALL = 40_000, 200_000
#: The sum in a flood of sign-ups, the one script there is, and what a page would bring one by.
SCRIPT, BROUGHT = 2_000, re.compile(r"<script(?![^>]*application/ld\+json)")
#: Above the fold a picture is loaded at once, below it when it is near, but for the first of a text; all keep
#: their place beforehand.
PICTURES = """() => [...document.images].flatMap(image => {
  const first = image === document.querySelector('.prose img');
  const soon = first || image.getBoundingClientRect().top < innerHeight;
  const name = image.outerHTML.slice(0, 120);
  return [
    ...(image.hasAttribute('width') && image.hasAttribute('height') ? [] : ['no size: ' + name]),
    ...(soon || image.loading === 'lazy' ? [] : ['loaded too early: ' + name]),
  ];
})"""


def sent(address: str) -> int:
    """Return how many bytes of body an address sends to whoever takes gzip."""
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = answer.read()
            assert answer.headers.get("Content-Encoding") != "gzip" or gzip.decompress(body)
            return len(body)
    except HTTPError as error:
        return len(error.read())


def complaints(browser: Browser, address: str, weights: dict[str, int]) -> list[str]:
    """Open an address afresh and return what is too heavy; `weights` remembers what was weighed."""
    kinds: dict[str, str] = {}
    with tab(browser) as page:
        page.on("request", lambda request: kinds.setdefault(request.url, request.resource_type))
        page.goto(address, wait_until="load")
        said = page.evaluate(PICTURES)
    for asked in kinds.keys() - weights.keys():
        weights[asked] = sent(asked)
    words = sum(weights[asked] for asked, kind in kinds.items() if kind in ("document", "stylesheet"))
    everything = sum(weights[asked] for asked, kind in kinds.items() if kind != "image")
    print(f"{address}: words and looks {words}, all but the pictures {everything}")
    said += [f"script: {asked}" for asked, kind in kinds.items() if kind == "script"]
    said += [f"words and looks weigh {words}"] if words > WORDS else []
    said += [f"all but the pictures weighs {everything}"] if everything > ALL else []
    return [f"{address}: {line}" for line in said]


def test_no_page_is_heavy(browser: Browser, gallery: Stage, served: str) -> None:
    weights: dict[str, int] = {}
    public = [
        picture.address
        for picture in gallery.pictures
        if not picture.press and "/refused/" not in picture.address
    ]
    none_of([said for address in public for said in complaints(browser, urljoin(served, address), weights)])


def test_the_only_script_is_small_and_no_page_brings_it_but_in_a_flood(
    visits: list[Visit], served: str, seeded: Seeded
) -> None:
    tree = static_files.read()
    assert [name for name in tree.files if name.endswith("js")] == ["work.js"]
    address = served + tree.address("work.js")
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert answer.read() == tree.files["work.js"]
    assert sent(address) <= SCRIPT
    assert BROUGHT.search(seeded.visit.source)
    assert [made.name for made in visits if BROUGHT.search(made.source)] == [FLOOD]


def test_what_is_heavy_is_found(browser: Browser, seeded: Seeded) -> None:
    said = "\n".join(complaints(browser, f"{seeded.site}/heavy", {}))
    for fault in (
        "script: ",
        "words and looks weigh",
        "all but the pictures weighs",
        "no size: ",
        "too early: ",
    ):
        assert fault in said, said
