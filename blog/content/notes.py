"""Footnotes: each leads back to all its references, and can stand beside them where there is room."""

import re
from xml.etree.ElementTree import Element

from blog.content import labels
from blog.content.tree import classes, remove, with_parents

#: How many notes the style sheet can place in the margin; with more, all of them stay at the end.
MOST_BESIDE = 24

_REFERENCE = re.compile(r"fnref\d*:(.*)", re.DOTALL)


def settle(root: Element, language: str) -> None:
    """Number notes and their first references alike, name the links back, take out those to nowhere."""
    items = [item for box in root.iter("div") if "footnote" in classes(box) for item in box.iterfind("ol/li")]
    first = _first_references(root)
    beside = len(items) <= MOST_BESIDE
    for number, item in enumerate(items, start=1):
        reference = first.get(item.get("id", "").removeprefix("fn:"))
        _name_links_back(item, number if reference is not None else None, language)
        if beside and reference is not None:
            item.set("class", f"note note-{number}")
            reference.set("class", f"ref-{number}")


def _first_references(root: Element) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for mark in root.iter("sup"):
        name = _REFERENCE.fullmatch(mark.get("id", ""))
        if name:
            found.setdefault(name.group(1), mark)
    return found


def _name_links_back(item: Element, number: int | None, language: str) -> None:
    links = [(parent, link) for parent, link in with_parents(item) if "footnote-backref" in classes(link)]
    for place, (parent, link) in enumerate(links, start=1):
        link.attrib.pop("title", None)
        again = place if len(links) > 1 else None
        link.set("aria-label", labels.of_way_back(language, number, again))
        if number is None:
            remove(parent, link)
