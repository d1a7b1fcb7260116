"""What is wrong with a finished mail, by the rules that relays, mail programs and readers go by.

Looks at the bytes, not at what made them. Each rule has a name and is one function: H for what the header
says of lists and programs, M for the form of the message, Q for what readers see.
"""

from collections.abc import Callable, Iterator

from blog.delivery import lint_body, lint_head, lint_html
from blog.delivery.lint_body import LARGEST_TEXT
from blog.delivery.opened import Opened

__all__ = ["LARGEST_TEXT", "RULES", "lint"]

RULES: dict[str, Callable[[Opened], Iterator[str]]] = {
    "H1": lint_head.list_id,
    "H2": lint_head.list_addresses,
    "H3": lint_head.literal,
    "H4": lint_head.automation,
    "H5": lint_head.precedence,
    "H6": lint_head.feedback,
    "M1": lint_head.once,
    "M2": lint_head.message_id,
    "M3": lint_head.date,
    "M4": lint_body.line_ends,
    "M5": lint_body.encoding,
    "M6": lint_head.encoded_words,
    "M7": lint_body.parts,
    "M8": lint_head.injection,
    "M10": lint_head.one_recipient,
    "M11": lint_head.answerable,
    "M12": lint_html.forbidden,
    "M13": lint_body.plain_header,
    "Q1": lint_html.size,
    "Q2": lint_html.styles,
    "Q3": lint_body.same_in_text,
    "Q4": lint_html.pictures,
    "Q5": lint_html.accessible,
    "Q8": lint_html.hidden,
    "Q9": lint_html.trackers,
    "U1": lint_head.one_click,
}


def lint(raw: bytes) -> list[str]:
    """Return every problem of a mail's bytes, each in one line; an empty list is the aim."""
    mail = Opened(raw)
    return [problem for rule in RULES.values() for problem in rule(mail)]
