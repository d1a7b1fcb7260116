"""Which addresses of the site a page, a style sheet or a feed names: nobody has to list what is exported."""

import re
from functools import lru_cache
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

#: Each is looked for by the word that it begins with, and only where that word is: `re` is slower to find out
#: that there is none.
_ATTRIBUTES = [
    (f"{name}=", re.compile(rf"""{name}=["']([^"'\s]+)["']""")) for name in ("href", "src", "poster")
]
_CHOICES = re.compile(r"""srcset=["']([^"']+)["']""")
_IN_STYLE = re.compile(r"""url\(["']?([^"')\s]+)["']?\)""")
_WEB = ("https://", "http://")
READABLE = ("text/html", "text/css", "application/xml", "application/atom+xml", "application/feed+json")


def found_in(
    body: bytes, content_type: str, path: str, origin: str, known: set[str] | None = None
) -> dict[str, str]:
    """Return the site's addresses named in a body, as path → query; `origin` is the site's own address.

    Those that are `known`, as they are written, are passed over; those from the root are so from then on.
    """
    if not content_type.startswith(READABLE):
        return {}
    text = body.decode("utf-8", "replace")
    named: set[str] = set(_whole(origin).findall(text))
    if content_type.startswith("text/css"):
        named.update(_IN_STYLE.findall(text))
    elif content_type.startswith("text/html"):
        for word, attribute in _ATTRIBUTES:
            if word in text:
                named.update(attribute.findall(text))
        for choices in _CHOICES.findall(text) if "srcset=" in text else ():
            named.update(choice.split()[0] for choice in choices.split(",") if choice.strip())
    if known is not None:
        named -= known
        known.update(address for address in named if address[0] == "/")
    found: dict[str, str] = {}
    # In order, so that the two forms of a feed, which have the same texts, are made one after the other.
    for address in sorted(named):
        own = _own(address, path, origin)
        if own:
            found.setdefault(*own)
    return found


@lru_cache(8)
def _whole(origin: str) -> re.Pattern[str]:
    return re.compile(re.escape(origin) + r"(/[^\s\"'<>\\)]*)")


def _own(address: str, path: str, origin: str) -> tuple[str, str] | None:
    if address.startswith("#") or (address.startswith(_WEB) and not address.startswith(origin)):
        return None
    # Nearly all are written from the root.
    return _from_root(address.removeprefix(origin)) or _from_page(address, path, origin)


@lru_cache(4096)
def _from_root(address: str) -> tuple[str, str] | None:
    whole, _, query = unescape(address).partition("#")[0].partition("?")
    return (unquote(whole), query) if whole[:1] == "/" != whole[1:2] and "/." not in whole else None


def _from_page(address: str, path: str, origin: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(urljoin(f"{origin}{path}", unescape(address)))
    except ValueError:
        return None
    if f"{parts.scheme}://{parts.netloc}" != origin:
        return None
    return unquote(parts.path) or "/", parts.query
