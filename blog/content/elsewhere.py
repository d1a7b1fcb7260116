"""An article's HTML for feed readers and mail: it needs no style sheet, no page around it, no new browser.

Addresses are whole, code brings its colours along (a light palette with its own background, which stays
legible where a reader's program is dark), films are links, details are open and formulas are their source.
"""

import re
from collections.abc import Callable
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from blog.content.tree import classes, parse, remove, replace, serialised, text_of, unwrap, with_parents

ADDRESSES = ("href", "src", "cite")
CODE_STYLE = "background:#f3f5f8;color:#0f141b;padding:12px 16px;overflow-x:auto;font-family:monospace"
MARKED_STYLE = "background:#e1e4fb"
#: The classes of tokens, by their beginnings, and the colour each has.
TOKENS = (
    (("kt", "k", "ow", "nt"), "#7a2d86"),
    (("s", "gi"), "#2b6130"),
    (("m", "il", "no", "na", "nd", "nv"), "#8a4600"),
    (("nf", "nc", "nb", "bp", "ne", "fm", "gh"), "#1c5296"),
    (("c", "go", "gp"), "#525c69"),
    (("gd", "gr", "err"), "#a1161f"),
)
#: Everything outside the characters of XML 1.0, section 2.2.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WHOLE_FAMILIES = {"k", "s", "m", "c"}
_KEPT = {
    *("href", "hreflang", "src", "alt", "width", "height", "title", "cite", "datetime", "lang", "dir"),
    *("colspan", "rowspan", "scope", "start", "reversed", "type", "value", "style", "span"),
}


def elsewhere(html: str, base: str) -> str:
    """Return the HTML of a text as it can be read anywhere, its addresses as seen from the page at `base`."""
    root = parse(without_forbidden(html))
    for parent, element in reversed(list(with_parents(root))):  # the inner before what is around them
        mend = _BY_TAG.get(element.tag)
        if mend:
            mend(parent, element)
    for parent, element in reversed(list(with_parents(root))):
        _style(element)
        element.attrib = {name: value for name, value in element.attrib.items() if name in _KEPT}
        for name in ADDRESSES:
            if name in element.attrib:
                element.set(name, _whole(base, element.get(name, "")))
        if element.tag == "span" and not element.attrib:
            unwrap(parent, element)
    return serialised(root)


def without_forbidden(text: str) -> str:
    """Return `text` without the characters that may not stand in an XML document at all."""
    return _FORBIDDEN.sub("", text)


def _whole(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # an address that is none stays as it is
        return address


def _link(parent: Element, link: Element) -> None:
    if classes(link) & {"anchor", "footnote-backref"}:
        remove(parent, link)  # they lead about within the page


def _box(parent: Element, box: Element) -> None:
    if classes(box) & {"scroll", "highlight"}:
        unwrap(parent, box)
    elif "admonition" in classes(box):
        box.tag = "blockquote"


def _paragraph(_parent: Element, paragraph: Element) -> None:
    if "admonition-title" in classes(paragraph):
        _embolden(paragraph)


def _details(_parent: Element, details: Element) -> None:
    details.tag = "div"


def _summary(_parent: Element, summary: Element) -> None:
    summary.tag = "p"
    _embolden(summary)


def _embolden(paragraph: Element) -> None:
    strong = Element("strong")
    strong.text, strong[:] = paragraph.text, list(paragraph)
    paragraph.text, paragraph[:] = None, [strong]


def _formula(parent: Element, formula: Element) -> None:
    code = Element("code")
    code.text = formula.get("alttext") or text_of(formula)
    replace(parent, formula, code)


def _film(parent: Element, film: Element) -> None:
    link = Element("a", {"href": film.get("src", "")})
    link.text = "Watch the film"
    if film.get("poster"):
        size = {name: film.get(name, "") for name in ("width", "height") if film.get(name)}
        link.append(Element("img", {"src": film.get("poster", ""), "alt": "Watch the film", **size}))
        link.text = None
    replace(parent, film, link)


_BY_TAG: dict[str, Callable[[Element, Element], None]] = {
    "a": _link,
    "aside": _box,
    "details": _details,
    "div": _box,
    "math": _formula,
    "p": _paragraph,
    "picture": lambda parent, picture: unwrap(parent, picture),
    "source": remove,
    "summary": _summary,
    "video": _film,
}


def _style(element: Element) -> None:
    if element.tag == "pre":
        element.set("style", CODE_STYLE)
    names = classes(element)
    if element.tag in ("span", "mark") and len(names) == 1 and (style := _token_style(*names)):
        element.set("style", style)
    for side in ("right", "center"):
        if f"align-{side}" in names:
            element.set("style", f"text-align:{side}")


def _token_style(name: str) -> str | None:
    if name == "hll":
        return MARKED_STYLE
    for beginnings, colour in TOKENS:
        if name in beginnings or (name[:1] in beginnings and name[:1] in _WHOLE_FAMILIES):
            return f"color:{colour}"
    return None
