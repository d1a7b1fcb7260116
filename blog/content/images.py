"""Images in a text: served from this site, with their size, lazily; those of other hosts become links.

A page makes no request to a third party, so that reading an article tells nobody but its publisher.
"""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement

from blog.content import variants
from blog.content.offers import fingerprint
from blog.content.references import File, Shelf
from blog.content.tree import remove, replace, with_parents
from blog.content.variants import MODERN, Raster, TooLarge

_SVG_TAG = re.compile(r"<svg\b[^>]*>", re.DOTALL)
_SVG_SIZE = re.compile(r"""\s(width|height)\s*=\s*["']\s*([\d.]+)(?:px)?\s*["']""")
_SVG_BOX = re.compile(r"""\sviewBox\s*=\s*["']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)""")
_SVG_HEAD = 64 * 1024
#: How wide a column of text is, in the units of the style sheet, and what is beside it on a telephone.
_COLUMN, _MARGINS = "38rem", "2.5rem"

#: Told an image's address, what is wrong with it, and how to mend that.
Report = Callable[[str, str, str], None]


def place(root: Element, shelf: Shelf, source: str, report: Report) -> int:
    """Settle every image of a text; return how many are on other hosts."""
    elsewhere, seen = 0, 0
    linked = {id(image) for link in root.iter("a") for image in link.iter("img")}
    for parent, image in with_parents(root):
        if image.tag != "img":
            continue
        address = image.get("src", "")
        if not address:
            remove(parent, image)
        elif shelf.is_elsewhere(address):
            elsewhere += 1
            _link_instead(parent, image, address, inside_link=id(image) in linked)
        else:
            served = _serve(image, shelf, source, report)
            # The first is often the largest thing on the first screen (HTML, "fetch priority attributes").
            name, value = ("loading", "lazy") if seen else ("fetchpriority", "high")
            image.set(name, value)
            seen += 1
            if served:
                _offer_copies(parent, image, *served)
    return elsewhere


def _serve(image: Element, shelf: Shelf, source: str, report: Report) -> tuple[File, Raster] | None:
    """Point an image to its file and say its size; return both when there can be smaller copies of it."""
    address = image.get("src", "")
    image.set("alt", image.get("alt", ""))
    file = shelf.file(address, source)
    if file is None:
        return None
    image.set("src", file.address)
    if file.path is None:
        report(address, f"the image {address} leads nowhere", "mend the address, or add the file it names")
        return None
    try:
        measured = measure(file.path)
    except TooLarge:
        most = variants.MOST_PIXELS // 1_000_000
        message = f"the image {address} has more than {most} million pixels, and is shown as it is"
        report(address, message, "make it smaller: no screen shows that many")
        return None
    if measured is None:
        return None
    wanted = image.get("width", "").removesuffix("px")
    width = int(wanted) if wanted.isdecimal() and 0 < int(wanted[:6]) == int(wanted) else measured.width
    image.set("width", str(width))
    image.set("height", str(max(1, round(measured.height * width / measured.width))))
    return (file, measured) if measured.widths() else None


def _offer_copies(parent: Element, image: Element, file: File, raster: Raster) -> None:
    """Wrap an image, so that a browser can take the smallest copy that is sharp on its screen."""
    sizes = f"min({image.get('width')}px, {_COLUMN}, 100vw - {_MARGINS})"
    version = variants.version(fingerprint(file.path)) if file.path else ""
    picture = Element("picture")
    replace(parent, image, picture)
    for ending in MODERN:
        if ending != raster.ending:
            copies = {"srcset": _candidates(file, raster, ending, version), "sizes": sizes}
            SubElement(picture, "source", {"type": f"image/{ending}", **copies})
    image.set("srcset", _candidates(file, raster, str(raster.ending), version))
    image.set("sizes", sizes)
    picture.append(image)


def _candidates(file: File, raster: Raster, ending: str, version: str) -> str:
    name = file.address.removeprefix("/media/")
    return ", ".join(f"/pictures/{width}-{version}/{name}.{ending} {width}w" for width in raster.widths())


def _link_instead(parent: Element, image: Element, address: str, inside_link: bool) -> None:
    text = image.get("alt") or "Image"
    link = Element("span") if inside_link else Element("a", {"href": address, "class": "elsewhere"})
    host = urlsplit(address).hostname or ""
    link.text = f"{text} ({host})" if host and not inside_link else text
    replace(parent, image, link)


def make_figures(root: Element) -> None:
    """Turn an image that stands alone with a title into a figure with that title as its caption."""
    for paragraph in list(root.iter("p")):
        image = _only_image(paragraph)
        if image is not None and image.get("title"):
            caption = image.attrib.pop("title")
            paragraph.tag, paragraph.text, paragraph[0].tail = "figure", None, None
            SubElement(paragraph, "figcaption").text = caption


def _only_image(paragraph: Element) -> Element | None:
    if len(paragraph) != 1 or (paragraph.text or "").strip() or (paragraph[0].tail or "").strip():
        return None
    alone = paragraph[0]
    return alone.find("img") if alone.tag == "picture" else alone if alone.tag == "img" else None


def measure(path: Path) -> Raster | None:
    """Return an image's width and height in pixels, when they can be read. Raises `TooLarge`."""
    if path.suffix.lower() != ".svg":
        return variants.measure(path)
    try:
        found = _svg_size(path)
    except (OSError, ValueError, OverflowError):
        return None
    return Raster(*found) if found and min(found) > 0 else None


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
