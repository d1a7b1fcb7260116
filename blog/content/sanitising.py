"""What of the HTML in a text reaches a page: its tags as text, what is harmless, or all a page may hold."""

import nh3

from blog.content import formulas
from blog.content.effort import check_depth

_TAGS = {
    *("a", "abbr", "aside", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite", "code", "col"),
    *("colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "hr", "i"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp"),
    *("rt", "ruby", "s", "samp", "section", "small", "span", "strong", "sub", "summary", "sup", "table"),
    *("tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "video"),
    *("track", "source", "wbr"),
    *formulas.TAGS,
}
_ATTRIBUTES = {
    "*": {"id", "class", "lang", "dir", "title"},
    "a": {"href", "hreflang"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "td": {"align", "colspan", "rowspan", "headers"},
    "th": {"align", "colspan", "rowspan", "headers", "scope"},
    "time": {"datetime"},
    "source": {"src", "type"},
    "track": {"src", "kind", "srclang", "label", "default"},
    "video": {"src", "poster", "width", "height"},
    **formulas.ATTRIBUTES,
}
_DROPPED_WHOLE = {
    *("script", "style", "iframe", "noscript", "template", "object", "svg", "textarea", "select"),
    "title",
}
_SCHEMES = {"http", "https", "mailto", "tel"}

# The policy of every page forbids scripts, styles of its own, frames and plug-ins whoever wrote them: what it
# would block is left out in any case.
_TRUSTED_TAGS = _TAGS | {
    *("address", "area", "article", "audio", "button", "center", "circle", "clippath", "data", "datalist"),
    *("defs", "desc", "dialog", "dir", "ellipse", "fieldset", "font", "footer", "form", "g", "header"),
    *("hgroup", "input", "label", "legend", "line", "lineargradient", "main", "map", "marker", "mask"),
    *("menu", "meter", "nav", "optgroup", "option", "output", "path", "pattern", "polygon", "polyline"),
    *("progress", "radialgradient", "rect", "search", "select", "stop", "svg", "symbol", "text", "textarea"),
    *("tspan", "use", "clipPath", "linearGradient", "radialGradient"),
}
_TRUSTED_EVERYWHERE = {
    *("id", "class", "lang", "dir", "title", "role", "hidden", "tabindex", "align", "width", "height"),
    *("accept", "action", "checked", "cols", "disabled", "enterkeyhint", "for", "form", "inputmode", "list"),
    *("max", "maxlength", "method", "min", "minlength", "multiple", "name", "open", "optimum", "pattern"),
    *("placeholder", "readonly", "required", "rows", "selected", "size", "step", "type", "value", "wrap"),
    *("coords", "shape", "usemap", "autocomplete", "low", "high", "popover", "popovertarget", "translate"),
    *("viewBox", "viewbox", "preserveAspectRatio", "fill", "fill-opacity", "fill-rule", "stroke", "offset"),
    *("stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray", "stroke-opacity", "opacity"),
    *("d", "cx", "cy", "r", "rx", "ry", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "points", "transform"),
    *("text-anchor", "dominant-baseline", "font-size", "font-weight", "font-family", "stop-color"),
    *("gradientUnits", "gradientTransform", "clip-path", "marker-end", "marker-start", "markerWidth"),
    *("markerHeight", "refX", "refY", "orient", "patternUnits"),
}

_CLEANING = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED_WHOLE,
    attributes=_ATTRIBUTES,
    url_schemes=_SCHEMES,
    link_rel=None,
)
_TRUSTING = nh3.Cleaner(
    tags=_TRUSTED_TAGS,
    clean_content_tags=_DROPPED_WHOLE - _TRUSTED_TAGS,
    attributes=_ATTRIBUTES | {"*": _TRUSTED_EVERYWHERE, "audio": {"src"}},
    generic_attribute_prefixes={"aria-", "data-"},
    url_schemes=_SCHEMES,
    link_rel=None,
)


def sanitised(html: str, *, trusted: bool) -> str:
    """Return what may stay of a text's HTML; raises `TooMuch` when it stands too deep."""
    check_depth(html)
    return (_TRUSTING if trusted else _CLEANING).clean(html)
