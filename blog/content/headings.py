"""An article's headings: the title taken out, levels in order, links to each, and the table of contents."""

import re
from xml.etree.ElementTree import Element, SubElement

from blog.content import labels
from blog.content.tree import remove, text_of, with_parents
from blog.content.values import Entry

_HEADING = re.compile(r"h[1-6]")
LISTED = (2, 3)


def take_title(root: Element, title: str | None) -> str | None:
    """Remove the first h1 when it repeats the title or gives one that is missing; return the title."""
    for parent, heading in with_parents(root):
        if heading.tag == "h1":
            text = text_of(heading)
            if title is None or _same(text, title):
                remove(parent, heading)
            return title or text or None
    return title


def arrange(root: Element, language: str) -> list[Entry]:
    """Give every heading its level under the title, an id and a link to itself; return them all."""
    headings = [element for element in root.iter() if _HEADING.fullmatch(element.tag) and text_of(element)]
    levels = {tag: min(6, rank) for rank, tag in enumerate(sorted({item.tag for item in headings}), start=2)}
    entries: list[Entry] = []
    for number, heading in enumerate(headings, start=1):
        title, level = text_of(heading), levels[heading.tag]
        heading.tag = f"h{level}"
        name = heading.get("id") or f"section-{number}"
        heading.set("id", name)
        link = SubElement(heading, "a", {"class": "anchor", "href": f"#{name}"})
        link.set("aria-label", labels.of_section(language, title))
        link.text = "#"
        entries.append({"id": name, "title": title, "level": level})
    return entries


def contents(entries: list[Entry]) -> list[Entry]:
    """Return the headings that a table of contents lists."""
    return [entry for entry in entries if entry["level"] in LISTED]


def _same(one: str, other: str) -> bool:
    return _letters(one) == _letters(other)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
