"""What a mail's HTML is made of, and which mail programs do not support it, by the data of caniemail.com."""

import json
import re
from collections.abc import Iterable
from functools import cache

from blog.delivery.markup_read import read
from tests.gates.tools import MODULES

#: The programs that most readers of mail use, and two for those who mind; by the names of the data.
PROGRAMS = {
    ("apple-mail", "macos"), ("apple-mail", "ios"),
    ("gmail", "desktop-webmail"), ("gmail", "ios"), ("gmail", "android"),
    ("outlook", "windows"), ("outlook", "macos"), ("outlook", "outlook-com"),
    ("outlook", "ios"), ("outlook", "android"),
    ("yahoo", "desktop-webmail"), ("yahoo", "ios"), ("yahoo", "android"),
    ("samsung-email", "android"), ("thunderbird", "macos"),
    ("protonmail", "desktop-webmail"), ("protonmail", "ios"), ("protonmail", "android"),
    ("fastmail", "desktop-webmail"), ("gmx", "desktop-webmail"),
}  # fmt: skip
_LONGHAND = re.compile(
    r"^(margin|padding)-(top|right|bottom|left)$|^border-(?!radius|collapse|spacing|image).*$"
)
_HEADINGS = {f"h{level}" for level in range(1, 7)}
_SELECTORS = {
    "css-selector-attribute": r"\[",
    "css-selector-adjacent-sibling": r"\+",
    "css-selector-child": r">",
    "css-selector-universal": r"(^|\s)\*",
    "css-selector-id": r"#[a-zA-Z]",
    "css-selector-class": r"\.[a-zA-Z]",
    "css-selector-descendant": r"\w\s+[.\w]",
    "css-selector-grouping": r",",
    "css-selector-chaining": r"\w\.\w",
}


@cache
def features() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    """Return who supports what since when, by the slug of the feature."""
    file = MODULES / "caniemail" / "data" / "caniemail.json"
    return {feature["slug"]: feature["stats"] for feature in json.loads(file.read_text())["data"]}


def used(html: str) -> set[str]:
    """Return the features that a mail uses and the data knows."""
    page, found = read(html), {"html-doctype"}
    for element in page.elements:
        found.add("html-h1-h6" if element.tag in _HEADINGS else f"html-{element.tag}")
        found |= {"html-lists"} if element.tag in ("ul", "ol") else set()
        found |= {f"html-{name}" for name in element.given}
        found |= _declared(element.given.get("style", ""))
    for css in page.styles:
        found |= _declared(css) | {f"css-at-{name}" for name in re.findall(r"@([\w-]+)", css)}
        found |= {f"css-at-media-{name}" for name in re.findall(r"@media[^{]*\(([\w-]+):", css)}
        selectors = re.findall(r"(?:^|[{}])\s*([^{}@]+?)\s*\{", css)
        found |= {slug for slug, form in _SELECTORS.items() for one in selectors if re.search(form, one)}
        found |= {f"css-pseudo-class-{name}" for one in selectors for name in re.findall(r":([\w-]+)", one)}
    return found & features().keys()


def _declared(css: str) -> set[str]:
    found = set()
    for name, value in re.findall(r"([\w-]+)\s*:\s*([^;{}]+)", css):
        found.add(f"css-{name}" if not _LONGHAND.match(name) else f"css-{name.partition('-')[0]}")
        if name == "display":
            found.add(f"css-display-{value.split()[0]}")
        found |= {f"css-unit-{unit}" for unit in re.findall(r"\d(px|em|rem|vw|vh|pt|ch)\b", value)}
        found |= {"css-unit-percent"} if re.search(r"\d%", value) else set()
        found |= {f"css-function-{call}" for call in re.findall(r"([\w-]+)\(", value)}
        found |= {"css-important"} if "!important" in value else set()
    return found


def unsupported(slugs: Iterable[str]) -> dict[str, list[str]]:
    """Return the programs that do not support a feature today; those that nobody tested count not."""
    lacking: dict[str, list[str]] = {}
    for slug in slugs:
        for family, platform in sorted(PROGRAMS):
            tested = features()[slug].get(family, {}).get(platform, {})
            if tested and list(tested.values())[-1].startswith("n"):
                lacking.setdefault(slug, []).append(f"{family} {platform}")
    return lacking
