"""The gallery shows every page and all its words: what no picture shows, nobody has looked at."""

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from babel.messages.extract import extract_from_dir
from playwright.sync_api import Browser
from werkzeug.routing import Map

from blog.settings import ROOT
from tests.browser.gallery import Picture, Stage, stage
from tests.catalogues import KEYWORDS

pytestmark = pytest.mark.browser

#: Mails have pictures of their own; what a developer sees is no page of the site.
ELSEWHERE = ("emails/", "parts/mail/", "development/", "site/opensearch.xml")
FILE = re.compile(r"\.(xml|json|svg|png|ico|txt|css)$|<path:name>$")
#: Answers for programs, an address that leads on to another, and what begins with thousands of articles: the
#: archive's second page, which looks as its first one does.
ELSEWHERE_ADDRESSED = {
    *("/healthz", "/readyz", "/metrics", "/digests/<cadence>/<int:number>", "/archive/page/<int:number>"),
}
PLACEHOLDER = re.compile(r"%\\?\(\w+\\?\)s")


@dataclass(frozen=True)
class Shown:
    """What was to be seen: the pictures, the source of each as it was answered, the addresses there are."""

    pictures: list[Picture]
    sources: list[str]
    addresses: Map

    @property
    def rules(self) -> set[str]:
        """What addresses can be read."""
        return {rule.rule for rule in self.addresses.iter_rules() if "GET" in (rule.methods or ())}

    def rule_of(self, address: str) -> str:
        """Return what an address is one of."""
        rule, _ = self.addresses.bind("").match(urlsplit(address).path, return_rule=True)
        return rule.rule


@pytest.fixture(scope="module")
def shown(browser: Browser, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copy(migrated_sqlite, folder / "blog.db")
    with stage(folder, folder / "blog.db") as running:
        return Shown(running.pictures, list(_sources(browser, running)), running.addresses)


def _sources(browser: Browser, running: Stage) -> Iterator[str]:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for picture in running.pictures:
        yield unescape(picture.open(page, running.site).text())
    context.close()


def _texts() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield where each text of a page is written, and its forms."""
    found = extract_from_dir(
        ROOT / "templates",
        [("**.*", "jinja2")],
        options_map={"**.*": {"silent": "false"}},
        keywords=KEYWORDS,
    )
    for name, line, message, _, _ in found:
        if not name.startswith(ELSEWHERE):
            yield f"templates/{name}:{line}", (message,) if isinstance(message, str) else message
    for name, line, message, _, _ in extract_from_dir(
        ROOT / "blog" / "web", [("**.py", "python")], keywords=KEYWORDS
    ):
        yield f"blog/web/{name}:{line}", (message,)


def _unseen(texts: Iterable[tuple[str, tuple[str, ...]]], sources: list[str]) -> list[str]:
    whole = "\n".join(sources)
    return [
        f"{place}: {forms[0]!r}"
        for place, forms in texts
        if not any(_pattern(form).search(whole) for form in forms)
    ]


def _pattern(text: str) -> re.Pattern[str]:
    """Return what finds a text on a page, whatever stands in the place of its values."""
    pieces = PLACEHOLDER.split(re.escape(unescape(text)))
    return re.compile(r"(?<!\w)" * text[0].isalnum() + "[^\n]{0,300}?".join(pieces))


def test_every_text_of_every_page_is_in_a_picture(shown: Shown) -> None:
    unseen = _unseen(_texts(), shown.sources)
    assert not unseen, "no picture of the gallery says:\n" + "\n".join(unseen)


def test_every_kind_of_page_is_in_a_picture(shown: Shown) -> None:
    kinds = {rule for rule in shown.rules if not FILE.search(rule)} - ELSEWHERE_ADDRESSED
    unseen = sorted(kinds - {shown.rule_of(picture.address) for picture in shown.pictures})
    assert not unseen, f"no picture of the gallery is of {', '.join(unseen)}"


def test_a_text_that_no_picture_shows_is_found() -> None:
    texts = [("a", ("Gone for %(days)s days",)), ("b", ("%(num)s part", "%(num)s parts")), ("c", ("Part",))]
    assert _unseen(texts, ["<p>2 parts</p>"]) == ["a: 'Gone for %(days)s days'", "c: 'Part'"]
