"""Which addresses of the site a page, a style sheet or a feed names: nobody has to list what is exported."""

import re
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

#: Each begins with a word that `re` can look for in one go: together they take half of what one pattern does
#: that begins with a space and a choice.
_ATTRIBUTES = [re.compile(rf"""{name}=["']([^"'\s]+)["']""") for name in ("href", "src", "poster")]
_CHOICES = re.compile(r"""srcset=["']([^"']+)["']""")
_IN_STYLE = re.compile(r"""url\(["']?([^"')\s]+)["']?\)""")
READABLE = ("text/html", "text/css", "application/xml", "application/atom+xml", "application/feed+json")


def found_in(body: bytes, content_type: str, path: str, origin: str) -> dict[str, str]:
    """Return the site's addresses named in a body, as path → query; `origin` is the site's own address."""
    if not content_type.startswith(READABLE):
        return {}
    text = body.decode("utf-8", "replace")
    named: set[str] = set(re.findall(re.escape(origin) + r"(/[^\s\"'<>\\)]*)", text))
    if content_type.startswith("text/css"):
        named.update(_IN_STYLE.findall(text))
    elif content_type.startswith("text/html"):
        for attribute in _ATTRIBUTES:
            named.update(attribute.findall(text))
        for choices in _CHOICES.findall(text):
            named.update(choice.split()[0] for choice in choices.split(",") if choice.strip())
    found: dict[str, str] = {}
    for address in named:
        own = _own(unescape(address), path, origin)
        if own:
            found.setdefault(*own)
    return found


def _own(address: str, path: str, origin: str) -> tuple[str, str] | None:
    if address.startswith("#"):
        return None
    if address[:1] == "/" != address[1:2]:  # as nearly all are written: nothing to be worked out
        whole, _, query = address.partition("#")[0].partition("?")
        if "/." not in whole:
            return unquote(whole), query
    try:
        parts = urlsplit(urljoin(f"{origin}{path}", address))
    except ValueError:
        return None
    if f"{parts.scheme}://{parts.netloc}" != origin:
        return None
    return unquote(parts.path) or "/", parts.query
