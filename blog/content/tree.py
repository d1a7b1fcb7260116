"""Sanitised HTML as a small tree, to be mended and written out again."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import HTML_EMPTY, Element, ParseError, TreeBuilder, fromstring

from blog.content.front_matter import storable

VOID = {"area", "br", "col", "hr", "img", "input", "source", "track", "wbr"}
BLOCKS = {
    *("p", "div", "section", "aside", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "pre", "hr", "br"),
    *("table", "caption", "tr", "td", "th", "figure", "figcaption", "details", "summary"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
NO_BREAK = "\u00a0"
#: What XML reads otherwise than HTML: line ends, control characters, and white space within an attribute.
_UNLIKE_XML = re.compile(r"[\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONG_ATTRIBUTE = re.compile(r"=\"[^\"\n\t]*[\n\t]")
_VOID_TAG = re.compile(rf"<(?:{'|'.join(sorted(VOID))})(?:\s+[^\s\"<>=/]+=\"[^\"]*\")*\s*>")


class Finished(str):
    """A text whose markup is written out as it stands; to whoever reads the tree it is nothing but text."""

    html: str

    def __new__(cls, text: str, html: str) -> "Finished":
        """Return a text with its markup."""
        made = super().__new__(cls, text)
        made.html = html
        return made


def is_plain(html: str) -> bool:
    """Whether XML reads a piece of HTML as HTML does, if it is well formed."""
    return not (_UNLIKE_XML.search(html) or _LONG_ATTRIBUTE.search(html))


def parse(html: str) -> Element:
    """Return balanced HTML, as the sanitiser writes it, under one root."""
    if is_plain(html):
        try:
            xml = _VOID_TAG.sub(_closed, html.replace("&nbsp;", NO_BREAK))
            return fromstring(f"<div>{xml}</div>")  # noqa: S314  # the sanitiser leaves no document type in it
        except ParseError:
            pass  # something that is no XML after all: the slower parser reads everything
    return parse_html(html)


def parse_html(html: str) -> Element:
    """Return what `parse` returns, in ten times the time."""
    builder = _Builder()
    builder.feed(html)
    return builder.finish()


def _closed(tag: re.Match[str]) -> str:
    return f"{tag.group(0)[:-1]}/>"


def serialised(root: Element) -> str:
    """Return what is inside the root as HTML; text and attributes are escaped anew."""
    pieces = [_escaped(root.text or "")]
    for child in root:
        _write(child, pieces.append)
    return storable("".join(pieces)).strip()


def _write(element: Element, put: Callable[[str], None]) -> None:
    # As `ElementTree.tostring` does, which takes twice the time: it looks for namespaces first.
    tag = element.tag
    attributes = element.items()
    given = "".join([f' {name}="{_quoted(value)}"' for name, value in attributes]) if attributes else ""
    put(f"<{tag}{given}>")
    text = element.text
    if text:
        put(text.html if isinstance(text, Finished) else _escaped(text))
    for child in element:
        _write(child, put)
    if tag not in HTML_EMPTY:
        put(f"</{tag}>")
    if element.tail:
        put(_escaped(element.tail))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(value: str) -> str:
    return value.replace("&", "&amp;").replace(">", "&gt;").replace('"', "&quot;")


def text_of(element: Element) -> str:
    """Return all text inside an element, as one line."""
    return " ".join("".join(element.itertext()).split())


def with_parents(root: Element) -> Iterator[tuple[Element, Element]]:
    """Yield every element below the root as (parent, element), in document order; the tree may change."""
    for parent in [element for element in root.iter() if len(element)]:
        for child in list(parent):
            yield parent, child


def remove(parent: Element, child: Element) -> None:
    """Take a child out; the text behind it stays."""
    _keep_tail(parent, child)
    parent.remove(child)


def replace(parent: Element, child: Element, *others: Element) -> None:
    """Put others in the child's place; the text behind it stays behind the last of them."""
    others[-1].tail, child.tail = child.tail, None
    position = list(parent).index(child)
    parent[position : position + 1] = list(others)


def unwrap(parent: Element, child: Element) -> None:
    """Put what is inside a child in its place."""
    inner = list(child)
    position = list(parent).index(child)
    _append_text(parent, position, child.text)
    if inner:
        inner[-1].tail = (inner[-1].tail or "") + (child.tail or "")
    else:
        _append_text(parent, position, child.tail)
    parent[position : position + 1] = inner


def _append_text(parent: Element, position: int, text: str | None) -> None:
    if not text:
        return
    if position:
        before = parent[position - 1]
        before.tail = (before.tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _keep_tail(parent: Element, child: Element) -> None:
    _append_text(parent, list(parent).index(child), child.tail)


def classes(element: Element) -> set[str]:
    """Return an element's classes."""
    given = element.get("class")
    return set(given.split()) if given else set()


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._tree = TreeBuilder()
        self._tree.start("div", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tree.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self._tree.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._tree.end(tag)

    def handle_data(self, data: str) -> None:
        self._tree.data(data)

    def finish(self) -> Element:
        self.close()
        self._tree.end("div")
        return self._tree.close()
