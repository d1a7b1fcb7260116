"""Formulas as LaTeX writes them, turned into MathML, which browsers show and screen readers read."""

import re
from collections.abc import Callable
from html import escape, unescape
from xml.etree.ElementTree import tostring

from latex2mathml import converter
from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor

LONGEST = 2_000
#: An opening sign touches the formula and no word; a closing one touches the formula and nothing follows it:
#: "$5 and $10", "US$5" and "$HOME/bin:$PATH" are text.
INLINE = r"(?<![\w\\$/=])(\$\$?)(?![\s$])([^$\n\x02]*[^\s$\\\x02])\1(?![\w$])"
BLOCK = re.compile(r"\$\$(?!\$)")

TAGS = {
    *("math", "menclose", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow"),
    *("mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder"),
    "munderover",
}
ATTRIBUTES = {
    "math": {"display", "alttext"},
    "menclose": {"notation"},
    "mfrac": {"linethickness"},
    "mi": {"mathvariant"},
    "mo": {"accent", "fence", "form", "largeop", "lspace", "maxsize", "minsize", "movablelimits", "rspace"}
    | {"separator", "stretchy", "symmetric"},
    "mover": {"accent"},
    "mpadded": {"width", "height", "depth", "lspace", "voffset"},
    "mspace": {"width", "height", "depth"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mtable": {"columnalign", "columnspacing", "rowspacing", "columnlines", "rowlines", "displaystyle"},
    "mtd": {"columnalign"},
    "munder": {"accentunder"},
}

_DEFINES = re.compile(r"\\(?:(?:g|e|x)?def|let|(?:re)?new(?:command|environment)|provide|Declare)")
_REASONS = {
    "NumeratorNotFoundError": "a fraction has no numerator",
    "DenominatorNotFoundError": "a fraction has no denominator",
    "ExtraLeftOrMissingRightError": "\\left has no \\right",
    "MissingSuperScriptOrSubscriptError": "nothing stands behind ^ or _",
    "DoubleSubscriptsError": "two subscripts follow each other",
    "DoubleSuperscriptsError": "two superscripts follow each other",
    "NoAvailableTokensError": "it ends too early: is a brace not closed?",
    "MissingEndError": "\\begin has no \\end",
}


class Unreadable(Exception):
    """A formula that is not understood; the message says why."""


def mathml(source: str, *, block: bool) -> str:
    """Return a formula as MathML, its source kept as `alttext`. Raises `Unreadable`."""
    source = " ".join(source.split())
    if not source or len(source) > LONGEST:
        raise Unreadable(f"a formula has at least one sign and at most {LONGEST:,}")
    if _DEFINES.search(source):  # a few of them, each made of the last, would fill all memory
        raise Unreadable("commands cannot be defined in a formula")
    try:
        made = converter.convert_to_element(source, display="block" if block else "inline")
    except Exception as error:  # the library raises whatever its parser stumbles over
        raise Unreadable(_REASONS.get(type(error).__name__, "it is not understood")) from error
    for part in made.iter():
        part.text = unescape(part.text or "")
        if part.text.startswith("\\") and part.tag == "mi":
            raise Unreadable(f"the command {part.text} is not known")
    made.set("alttext", source)
    return tostring(made, encoding="unicode")


def shown_as_code(source: str, *, block: bool) -> str:
    """Return a formula that is not understood as its source."""
    code = f"<code>{escape(source, quote=False)}</code>"
    return f"<pre>{code}</pre>" if block else code


class Formulas(InlineProcessor):
    """`$x$` in running text; `make` returns what stands for it, told its source and whether it is a block."""

    def __init__(self, md: Markdown, make: Callable[[str, bool], str]) -> None:
        super().__init__(INLINE, md)
        self._make = make

    def handleMatch(  # type: ignore[override]  # the library's own stubs disagree with its code
        self,
        m: re.Match[str],
        data: str,  # noqa: ARG002
    ) -> tuple[str, int, int]:
        return self._make(m.group(2), len(m.group(1)) == 2), m.start(0), m.end(0)
