"""What is wrong with the HTML part of a mail: for mail programs, for assistive technology, for privacy."""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from blog.delivery.markup_read import Element
from blog.delivery.opened import Opened
from blog.theme import contrast, is_colour

LARGEST, LARGEST_STYLE = 80_000, 8_192  # Gmail clips at 102 KB and drops a longer style element.
MOST_LINKS = 60
CONTRAST, SMALLEST = 4.5, 14
FORBIDDEN = re.compile(
    "script|form|input|button|select|textarea|i?frame|object|embed|applet|base|link|video|audio|svg"
)
_FETCHES = re.compile(r"@import|url\s*\(|@font-face", re.IGNORECASE)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_EMPTY_WORDS = {"here", "click here", "read more", "more", "link", "this link", "learn more"}


def size(mail: Opened) -> Iterator[str]:
    """Mail programs show it whole, and the way to leave with it."""
    octets = len(mail.html.encode())
    if octets > LARGEST:
        yield f"the HTML part has {octets} octets, {LARGEST} are allowed: Gmail clips long mails"
    if len(mail.page.named("a")) > MOST_LINKS:
        yield f"the HTML part has {len(mail.page.named('a'))} links, {MOST_LINKS} are allowed"
    if mail.is_list_mail and not re.search(r"/(unsubscribe|preferences)/", mail.html[:LARGEST]):
        yield "no link to leave or to choose less stands before the place where Gmail cuts"


def styles(mail: Opened) -> Iterator[str]:
    """Style elements are small and fetch nothing."""
    for css in mail.page.styles:
        if len(css) > LARGEST_STYLE:
            yield f"a style element of {len(css)} characters, {LARGEST_STYLE} are allowed"
        if _FETCHES.search(css):
            yield "a style element fetches something from elsewhere"


def forbidden(mail: Opened) -> Iterator[str]:
    """There is nothing active, and every address is whole."""
    for element in mail.page.elements:
        tag, given = element.tag, element.given
        if FORBIDDEN.fullmatch(tag):
            yield f"<{tag}> does not belong into a mail"
        if any(name.startswith("on") for name in given):
            yield f"<{tag}> has an event handler"
        if _FETCHES.search(given.get("style", "")) or "background" in given:
            yield f"<{tag}> fetches a background from elsewhere"
        for name in ("href", "src", "srcset", "action", "poster"):
            if name in given and not _is_absolute(given[name], mail=name == "href"):
                yield f"<{tag} {name}> is not an absolute https address: {given[name][:60]}"


def pictures(mail: Opened) -> Iterator[str]:
    """Pictures are of a kind that is shown, with a width and words."""
    for picture in mail.page.named("img"):
        given = picture.given
        if "alt" not in given:
            yield "<img> without alt"
        if not given.get("width", "").isdigit():
            yield "<img> without a width"
        if re.search(r"\.(webp|avif|svg)$", urlsplit(given.get("src", "")).path.lower()):
            yield f"<img> of a kind that mail programs do not show: {given['src'][-40:]}"


def trackers(mail: Opened) -> Iterator[str]:
    """No picture is there to see who looks."""
    for picture in mail.page.named("img"):
        if {picture.given.get("width"), picture.given.get("height")} & {"0", "1"}:
            yield "<img> of one pixel: a tracker"


def hidden(mail: Opened) -> Iterator[str]:
    """There are no words that nobody sees."""
    for words, inside in mail.page.said:
        looks = inside.looks
        if looks.get("display") == "none" or looks.get("visibility") == "hidden":
            yield f"words that nobody sees: {words.strip()[:40]!r}"
        if "mso-hide" in inside.style:
            yield f"words that Outlook hides: {words.strip()[:40]!r}"


def accessible(mail: Opened) -> Iterator[str]:
    """It can be read with eyes, ears and fingers."""
    yield from _document(mail)
    yield from _headings(mail)
    yield from _links(mail)
    for table in mail.page.named("table"):
        if table.given.get("role") != "presentation":
            yield '<table> without role="presentation"'
    yield from dict.fromkeys(_looks(mail))


def _document(mail: Opened) -> Iterator[str]:
    if not mail.html.lstrip().lower().startswith("<!doctype html>"):
        yield "the HTML part does not start with <!doctype html>"
    for document in mail.page.named("html")[:1]:
        if not document.given.get("lang") or not document.given.get("dir"):
            yield "<html> needs lang and dir"
    outermost = [e for e in mail.page.elements if e.within and e.within[-1] == "body"]
    if not outermost or not all(e.given.get("lang") and e.given.get("dir") for e in outermost):
        yield "what stands directly in <body> needs lang and dir again: mail programs drop <html> and <body>"
    said = " ".join(mail.page.title.split())
    if not said:
        yield "the HTML part has no title"
    elif not " ".join(str(mail.message["Subject"]).split()).endswith(said):  # a test's begins with "[Test]"
        yield "the title of the HTML part is not the subject"


def _headings(mail: Opened) -> Iterator[str]:
    levels = [int(heading.tag[1]) for heading in mail.page.named("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1:
        yield f"the HTML part has {levels.count(1)} headings of the first level, not one"
    if any(below - above > 1 for above, below in pairwise([1, *levels])):
        yield "a level of headings is left out"


def _links(mail: Opened) -> Iterator[str]:
    for link in mail.page.named("a"):
        said = " ".join(link.words.split())
        if not said or said.strip(" .…→").lower() in _EMPTY_WORDS:
            yield f"a link whose words say nothing: {said!r}"
        bare = link.style.get("text-decoration", "").startswith("none")
        if bare and "background-color" not in link.style and link.looks.get("font-weight") != "800":
            yield f"a link that does not look like one: {said[:40]!r}"


def _looks(mail: Opened) -> Iterator[str]:
    for _, inside in mail.page.said:
        looks = inside.looks
        if not _is_readable(inside):
            yield f"{looks['color']} on {looks['background-color']} has a contrast below {CONTRAST}"
        points = re.fullmatch(r"([\d.]+)px", looks["font-size"])
        if points and float(points[1]) < SMALLEST:
            yield f"words of {looks['font-size']}, {SMALLEST} px are wanted"


def _is_readable(inside: Element) -> bool:
    ink, ground = inside.looks["color"], inside.looks["background-color"]
    return not (is_colour(ink) and is_colour(ground)) or contrast(ink, ground) >= CONTRAST


def _is_absolute(address: str, mail: bool) -> bool:
    parts = urlsplit(address)
    if mail and parts.scheme == "mailto":
        return "@" in parts.path
    # A site on its developer's own machine has no certificate.
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return secure and bool(parts.netloc)
