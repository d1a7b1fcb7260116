"""Films in a text: files of this site, played by the browser; those of other hosts become links."""

from xml.etree.ElementTree import Element, SubElement

from blog.content import images
from blog.content.images import Report
from blog.content.references import Shelf
from blog.content.tree import remove, replace, with_parents
from blog.content.variants import TooLarge


def place(root: Element, shelf: Shelf, source: str, report: Report) -> None:
    """Point every film, its picture and its captions to the site's files; nothing plays by itself."""
    for parent, film in with_parents(root):
        if film.tag == "source":  # what a page offers to choose from, it offers itself
            remove(parent, film)
        if film.tag != "video":
            continue
        inner = film.find("source")
        address = film.get("src") or (inner.get("src", "") if inner is not None else "")
        if not address:
            remove(parent, film)
        elif shelf.is_elsewhere(address):
            link = Element("a", {"href": address, "class": "elsewhere"})
            link.text = "Film"
            replace(parent, film, link)
        else:
            _serve(film, address, shelf, source, report)


def _serve(film: Element, address: str, shelf: Shelf, source: str, report: Report) -> None:
    film.set("src", _served(address, "film", shelf, source, report))
    film.set("controls", "")
    film.set("preload", "metadata")
    poster = film.attrib.pop("poster", "")
    if poster and not shelf.is_elsewhere(poster):
        film.set("poster", _served(poster, "picture", shelf, source, report))
        _say_size(film, poster, shelf, source)
    for track in list(film.iter("track")):
        if not track.get("src") or shelf.is_elsewhere(track.get("src", "")):
            remove(film, track)
            continue
        track.set("src", _served(track.get("src", ""), "file", shelf, source, report))
        track.set("label", track.get("label", "Captions"))
    if film.find("a") is None:
        link = SubElement(film, "a", {"href": film.get("src", "")})
        link.text = "Watch the film"


def _served(address: str, kind: str, shelf: Shelf, source: str, report: Report) -> str:
    file = shelf.file(address, source)
    if file is None:
        return address
    if file.path is None:
        report(address, f"the {kind} {address} leads nowhere", "mend the address, or add the file it names")
    return file.address


def _say_size(film: Element, poster: str, shelf: Shelf, source: str) -> None:
    """Take a film's shape from its picture, so that nothing moves when it loads."""
    file = shelf.file(poster, source)
    try:
        size = images.measure(file.path) if file and file.path else None
    except TooLarge:
        return
    if size:
        film.set("width", str(size.width))
        film.set("height", str(size.height))
