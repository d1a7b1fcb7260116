"""An article's HTML made fit to be read elsewhere: whole addresses, no anchors, nothing XML forbids."""

import re
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin

ADDRESSES = {"href", "src", "poster", "cite"}
#: The choice between copies of an image is left out as well: what reads a feed takes the image itself.
CHOICE_TAGS, CHOICE_ATTRIBUTES = {"picture", "source"}, {"srcset", "sizes"}

#: Everything outside the characters of XML 1.0, section 2.2.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def absolute(html: str, base: str) -> str:
    """Return `html` with every address in it made absolute, as seen from the page at `base`.

    The links of headings to themselves are left out: they are of use on the page only.
    """
    writer = _Writer(base)
    writer.feed(html)
    writer.close()
    return "".join(writer.parts)


def without_forbidden(text: str) -> str:
    """Return `text` without the characters that may not stand in an XML document at all."""
    return _FORBIDDEN.sub("", text)


class _Writer(HTMLParser):
    """Copies what it reads; only tags that carry an address are written anew."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=False)
        self._base = base
        self._in_anchor = False
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_anchor = ("class", "anchor") in attrs
        if self._in_anchor or tag in CHOICE_TAGS:
            return
        if not any(name in ADDRESSES or name in CHOICE_ATTRIBUTES for name, _ in attrs):
            self.parts.append(self.get_starttag_text() or "")
            return
        written = "".join(self._attribute(*pair) for pair in attrs if pair[0] not in CHOICE_ATTRIBUTES)
        self.parts.append(f"<{tag}{written}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._in_anchor and tag not in CHOICE_TAGS:
            self.parts.append(f"</{tag}>")
        self._in_anchor = False

    def handle_data(self, data: str) -> None:
        if not self._in_anchor:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def _attribute(self, name: str, value: str | None) -> str:
        if value is None:
            return f" {name}"
        if name in ADDRESSES:
            value = urljoin(self._base, value)
        return f' {name}="{escape(value)}"'
