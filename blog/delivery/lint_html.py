"""What is wrong with the HTML part of a mail: for mail programs, for assistive technology, for privacy."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

LARGEST, LARGEST_STYLE = 80_000, 8_192  # Gmail clips at 102 KB and drops a longer style element.
FORBIDDEN = re.compile(
    "script|form|input|button|select|textarea|i?frame|object|embed|applet|base|link|video|audio|svg"
)
_FETCHES = re.compile(r"@import|url\s*\(", re.IGNORECASE)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def lint_html(html: str) -> Iterator[str]:
    """Yield every problem of a mail's HTML, each in one line."""
    if len(html.encode()) > LARGEST:
        yield f"the HTML part has {len(html.encode())} octets, {LARGEST} are allowed: Gmail clips long mails"
    if not html.lstrip().lower().startswith("<!doctype html>"):
        yield "the HTML part does not start with <!doctype html>"
    reader = _Reader()
    reader.feed(html)
    reader.close()
    yield from reader.problems
    yield from _language(reader)
    if reader.title.strip() == "":
        yield "the HTML part has no title"
    if reader.headings.count("h1") != 1:
        yield f"the HTML part has {reader.headings.count('h1')} headings of the first level, not one"


def _language(reader: "_Reader") -> Iterator[str]:
    if not reader.document.get("lang") or not reader.document.get("dir"):
        yield "<html> needs lang and dir"
    if not reader.has_language_inside:
        yield "an element inside <body> needs lang and dir again: mail programs drop <html> and <body>"


class _Reader(HTMLParser):
    """Walks the markup once and keeps what the rules ask about."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.document: dict[str, str] = {}
        self.has_language_inside = False
        self.headings: list[str] = []
        self.title = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self._inside = tag
        if tag == "html":
            self.document = given
        elif tag not in ("head", "body") and given.get("lang") and given.get("dir"):
            self.has_language_inside = True
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        self.problems += [*_element(tag, given), *_addresses(tag, given)]

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        if self._inside == "style":
            self.problems += _style(data)


def _element(tag: str, given: dict[str, str]) -> Iterator[str]:
    if FORBIDDEN.fullmatch(tag):
        yield f"<{tag}> does not belong into a mail"
    if any(name.startswith("on") for name in given):
        yield f"<{tag}> has an event handler"
    if tag == "table" and given.get("role") != "presentation" and "summary" not in given:
        yield '<table> without role="presentation"'
    if tag == "img":
        yield from _image(given)
    if _FETCHES.search(given.get("style", "")) or "background" in given:
        yield f"<{tag}> fetches a background from elsewhere"


def _image(given: dict[str, str]) -> Iterator[str]:
    if "alt" not in given:
        yield "<img> without alt"
    if not given.get("width", "").isdigit():
        yield "<img> without a width"
    if {given.get("width"), given.get("height")} & {"0", "1"}:
        yield "<img> of one pixel: a tracker"


def _addresses(tag: str, given: dict[str, str]) -> Iterator[str]:
    for name in ("href", "src", "srcset", "action", "poster"):
        if name in given and not _is_absolute(given[name], mail=name == "href"):
            yield f"<{tag} {name}> is not an absolute https address: {given[name][:60]}"


def _is_absolute(address: str, mail: bool) -> bool:
    parts = urlsplit(address)
    if mail and parts.scheme == "mailto":
        return "@" in parts.path
    # A site on its developer's own machine has no certificate.
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return secure and bool(parts.netloc)


def _style(css: str) -> Iterator[str]:
    if len(css) > LARGEST_STYLE:
        yield f"a style element of {len(css)} characters, {LARGEST_STYLE} are allowed"
    if _FETCHES.search(css):
        yield "a style element fetches something from elsewhere"
