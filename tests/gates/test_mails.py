"""Every kind of mail is judged from outside: by what mail programs support, by axe, by SpamAssassin."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.gates import caniemail
from tests.gates.test_accessibility import RULES, RUN, SCHEMES
from tests.gates.tools import MODULES, needed, none_of
from tests.gates.visits import tab
from tests.mails.golden import Golden

pytestmark = pytest.mark.gates

#: What some program lacks, and why the mails are whole there all the same.
ALLOWED = {
    "css-at-media": "narrow screens get less padding; without it the column is fluid all the same",
    "css-at-media-prefers-color-scheme": "who lacks it shows the light mail, or inverts that",
    "css-border-radius": "stations become squares and the button has corners",
    "css-color-scheme": "says that both schemes are ours; who lacks it decides by itself",
    "css-height": "Yahoo makes a minimum of it, which is as high: the drawing's cells are empty",
    "css-important": "needed by the dark colours alone",
    "css-list-style": "a list of links then has bullets",
    "css-selector-attribute": "is for Outlook.com alone, which marks what it has recoloured by attributes",
    "css-selector-class": "whatever is needed to read is inlined as well",
    "css-selector-descendant": "whatever is needed to read is inlined as well",
    "css-selector-grouping": "whatever is needed to read is inlined as well",
    "css-text-decoration": "a link stays a link; the button's words get a line",
    "css-text-decoration-color": "the line has the colour of the words",
    "css-text-decoration-thickness": "the line is as thick as the program likes",
    "css-text-underline-offset": "the line is where the program likes",
    "css-white-space": "code in a note runs on",
    "css-word-break": "a word wider than a phone makes the column wider",
    "css-word-spacing": "the name's words stand a little further apart",
    "html-aria-hidden": "the drawing is empty cells of a table for looks: nothing is read out",
    "html-aria-label": "the subject is the heading as well",
    "html-bdi": "names run as the program guesses",
    "html-body": "language, direction and ground are said again on the element in it",
    "html-dir": "said twice, on the document and in the body",
    "html-doctype": "nothing depends on the mode",
    "html-lang": "said twice, on the document and in the body",
    "html-role": "a screen reader may name the drawing a table",
    "html-wbr": "an address to be copied is broken by style, or makes the column wider",
    "html-style": "whatever is needed to read is inlined as well",
}
#: What every filter for spam takes for spam, made for tests.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
WIDTHS, MOST_SPAM = (600, 320), 1.0
#: What stands on a line of its own is for a thumb; links within a sentence are as high as its line.
SMALL = """[...document.querySelectorAll('a')].filter(link => getComputedStyle(link).display !== 'inline'
  && link.getBoundingClientRect().height < 44).map(link => link.textContent)"""


def unreasoned(slugs: set[str]) -> list[str]:
    lacking = caniemail.unsupported(slugs)
    return [f"{slug}: {', '.join(lacking[slug])}" for slug in sorted(lacking.keys() - ALLOWED.keys())]


def test_mail_programs_support_what_the_mails_are_made_of(node: str, mails: list[Golden]) -> None:
    used = {slug for golden in mails for slug in caniemail.used(golden.email.html)}
    none_of(unreasoned(used))
    needless = ALLOWED.keys() - caniemail.unsupported(used).keys()
    assert needless <= {"css-white-space", "css-list-style"}, "no mail needs this reason any more"


def test_what_mail_programs_do_not_support_is_found(node: str) -> None:
    bad = '<p style="display: flex; width: min(3vw, 10px)">x</p><video></video>'
    bad += "<style>@font-face { src: x }</style>"
    said = "\n".join(unreasoned(caniemail.used(bad)))
    for slug in ("css-display-flex", "css-function-min", "html-video", "css-at-font-face"):
        assert f"{slug}: " in said, said


def broken(browser: Browser, name: str, html: str) -> list[str]:
    """Return the rules of axe that a mail breaks, at every width and in both schemes."""
    found = []
    with tab(browser, reduced_motion="reduce") as page:
        for width in WIDTHS:
            for scheme in SCHEMES:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.set_content(html)
                page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text())
                # A mail is shown within a page: landmarks are that page's affair.
                rules = [r for r in page.evaluate(RUN, RULES) if not re.match("landmark-|region", r)]
                wide = page.evaluate("document.documentElement.scrollWidth") > width
                rules += ["wider than its window"] if wide else []
                rules += [f"too small to be tapped: {words}" for words in page.evaluate(SMALL)]
                found += [f"{name} {width} {scheme}: {rule}" for rule in rules]
    return found


def test_no_mail_breaks_a_rule_of_axe_or_its_window(browser: Browser, node: str, mails: list[Golden]) -> None:
    none_of([rule for golden in mails for rule in broken(browser, golden.name, golden.email.html)])


def test_broken_rules_of_a_mail_are_found(browser: Browser, node: str) -> None:
    bad = '<html><body><h3 style="color: #bbb">Some words</h3><img src="x.png"><a href="/"></a>'
    bad += '<p style="width:900px">y</p><a href="/" style="display: block">Words</a>'
    said = "\n".join(broken(browser, "bad", bad))
    for rule in (
        "html-has-lang",
        "document-title",
        "image-alt",
        "link-name",
        "color-contrast",
        "wider than",
        "too small",
    ):
        assert f": {rule}" in said, said


def scores(folder: Path, mails: dict[str, bytes]) -> dict[str, tuple[float, str]]:
    """Return SpamAssassin's points for each mail, without asking the network, and what they are for."""
    program = needed(shutil.which("spamassassin"), "spamassassin")
    for name, raw in mails.items():
        (folder / name).write_bytes(raw)
    files = [str(folder / name) for name in mails]
    command = [program, "--local", "--test-mode", "--cf=use_bayes 0", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, errors="replace")
    found = re.findall(
        r"^X-Spam-Status: \w+, score=(-?[\d.]+) .*?tests=(.*?)\s+(?:auto|version)", done.stdout, re.M | re.S
    )
    assert len(found) == len(mails), done.stderr
    return {name: (float(score), tests) for name, (score, tests) in zip(mails, found, strict=True)}


def test_no_mail_looks_like_spam(tmp_path: Path, mails: list[Golden]) -> None:
    found = scores(tmp_path, {golden.name: golden.raw for golden in mails})
    print("\n".join(f"{name}: {score} {tests}" for name, (score, tests) in found.items()))
    none_of([f"{name}: {found[name]}" for name in found if found[name][0] >= MOST_SPAM])


def test_spam_is_found(tmp_path: Path, mails: list[Golden]) -> None:
    spam = mails[0].raw.replace(b"Signal", GTUBE.encode() + b" Signal", 30)
    assert scores(tmp_path, {"spam": spam})["spam"][0] >= 100
