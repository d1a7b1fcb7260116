"""Images in a text: served from this site, with their size, lazily; those of other hosts become links.

A page makes no request to a third party, so that reading an article tells nobody but its publisher.
"""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement

from PIL import Image

from blog.content.references import Shelf
from blog.content.tree import remove, replace, with_parents

_SVG_TAG = re.compile(r"<svg\b[^>]*>", re.DOTALL)
_SVG_SIZE = re.compile(r"""\s(width|height)\s*=\s*["']\s*([\d.]+)(?:px)?\s*["']""")
_SVG_BOX = re.compile(r"""\sviewBox\s*=\s*["']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)""")
_SVG_HEAD = 64 * 1024


def place(root: Element, shelf: Shelf, source: str, missing: Callable[[str], None]) -> int:
    """Settle every image of a text; return how many are on other hosts."""
    elsewhere, seen = 0, 0
    for parent, image in with_parents(root):
        if image.tag != "img":
            continue
        address = image.get("src", "")
        if not address:
            remove(parent, image)
        elif shelf.is_elsewhere(address):
            elsewhere += 1
            _link_instead(root, parent, image, address)
        else:
            _serve(image, shelf, source, missing)
            if seen:
                image.set("loading", "lazy")
            seen += 1
    return elsewhere


def _serve(image: Element, shelf: Shelf, source: str, missing: Callable[[str], None]) -> None:
    address = image.get("src", "")
    image.set("alt", image.get("alt", ""))
    file = shelf.file(address, source)
    if file is None:
        return
    image.set("src", file.address)
    if file.path is None:
        missing(address)
        return
    measured = size(file.path)
    if measured:
        wanted = image.get("width", "").removesuffix("px")
        width = int(wanted) if wanted.isdecimal() and 0 < int(wanted[:6]) == int(wanted) else measured[0]
        image.set("width", str(width))
        image.set("height", str(max(1, round(measured[1] * width / measured[0]))))


def _link_instead(root: Element, parent: Element, image: Element, address: str) -> None:
    text = image.get("alt") or "Image"
    inside_link = any(image in link.iter() for link in root.iter("a"))
    link = Element("span") if inside_link else Element("a", {"href": address, "class": "elsewhere"})
    host = urlsplit(address).hostname or ""
    link.text = f"{text} ({host})" if host and not inside_link else text
    replace(parent, image, link)


def make_figures(root: Element) -> None:
    """Turn an image that stands alone with a title into a figure with that title as its caption."""
    for paragraph in [element for element in root.iter("p") if _holds_only_an_image(element)]:
        image = paragraph[0]
        caption = image.attrib.pop("title")
        paragraph.tag, paragraph.text, image.tail = "figure", None, None
        SubElement(paragraph, "figcaption").text = caption


def _holds_only_an_image(paragraph: Element) -> bool:
    alone = len(paragraph) == 1 and not (paragraph.text or "").strip()
    return alone and paragraph[0].tag == "img" and bool(paragraph[0].get("title")) and not _tail(paragraph[0])


def _tail(element: Element) -> str:
    return (element.tail or "").strip()


def size(path: Path) -> tuple[int, int] | None:
    """Return an image's width and height in pixels, when they can be read."""
    try:
        found = _svg_size(path) if path.suffix.lower() == ".svg" else _raster_size(path)
    except (OSError, ValueError, OverflowError, SyntaxError, Warning, Image.DecompressionBombError):
        return None
    return found if found and min(found) > 0 else None


def _raster_size(path: Path) -> tuple[int, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a decompression bomb is only a warning
        with Image.open(path) as image:
            return image.size


def _svg_size(path: Path) -> tuple[int, int] | None:
    with path.open(encoding="utf-8", errors="replace") as file:
        tag = _SVG_TAG.search(file.read(_SVG_HEAD))
    if tag is None:
        return None
    sides = {side: float(length) for side, length in _SVG_SIZE.findall(tag.group())}
    box = _SVG_BOX.search(tag.group())
    if len(sides) == 2:
        return round(sides["width"]), round(sides["height"])
    return (round(float(box.group(1))), round(float(box.group(2)))) if box else None
