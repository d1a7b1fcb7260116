"""A JSON Schema of the header for editors, made from the key groups the loader itself reads."""

from typing import Any

from blog.content import fields
from blog.content.dates import Order

DRAFT_7 = "http://json-schema.org/draft-07/schema#"

Shape = dict[str, Any]
_SCALAR = ["string", "number", "boolean", "null"]
_WORDS: Shape = {"type": [*_SCALAR, "object"]}
_NAMES: Shape = {"type": [*_SCALAR, "array", "object"], "items": {"type": ["string", "number", "object"]}}
_MOMENT: Shape = {"type": _SCALAR, "examples": ["2025-05-30", "2025-05-30 09:00 +0200"]}
_ANYTHING: Shape = {}

#: The spellings an editor offers → the group they belong to, what it means, and the shape of its values.
_GROUPS: list[tuple[tuple[str, ...], tuple[str, ...], str, Shape]] = [
    (("title",), fields.TITLE, "The title; without it, the first heading is.", _WORDS),
    (("date", "published"), fields.DATE, "When it is published; in the future, it waits.", _MOMENT),
    (("updated",), fields.UPDATED, "When it last changed in a way that readers should know of.", _MOMENT),
    (("expires_at",), fields.EXPIRES, "When it is taken down.", _MOMENT),
    (("date_order",), fields.DATE_ORDER, "How 03/04/2025 is meant.", {"enum": list(map(str, Order))}),
    (("draft", "hidden"), ("draft", "hidden"), "Keep it back, or off the lists.", {"type": _SCALAR}),
    (("status",), ("status",), "draft, hidden or published.", {"type": ["string", "null"]}),
    (("description",), fields.DESCRIPTION, "A sentence or two for lists, feeds and search.", _WORDS),
    (("topics", "tags"), fields.TOPICS, "What it is about, the most important first.", _NAMES),
    (("keywords",), ("keywords",), "Topics, when there are no others.", _NAMES),
    (("author", "authors"), fields.AUTHORS, "Who signs it.", _NAMES),
    (("series",), ("series",), "The series it belongs to.", _NAMES),
    (("language",), fields.LANGUAGE, "Its language, such as en or pt-BR.", _WORDS),
    (("slug",), ("slug",), "The last part of its address.", _WORDS),
    (("permalink",), fields.ADDRESS, "The address it has had elsewhere.", _WORDS),
    (("aliases",), fields.ALIASES, "Old addresses that lead here.", _NAMES),
    (("redirect",), fields.REDIRECT, "Nothing but a pointer: where the article is now.", _WORDS),
    (("related",), fields.PINNED, "Slugs of articles to be shown as related.", _NAMES),
    (("image",), fields.IMAGE, "A picture that stands for it.", _ANYTHING),
    (("extra", "params"), fields.CONTAINERS, "A theme's own keys.", _ANYTHING),
    (("taxonomies",), ("taxonomies",), "A table of tags, categories, authors or series.", {"type": "object"}),
]


def schema() -> Shape:
    """Return the schema: keys it does not know are allowed, since the loader keeps them."""
    properties: Shape = {}
    patterns: Shape = {}
    for offered, names, description, shape in _GROUPS:
        properties |= {key: {"description": description, **shape} for key in offered}
        patterns |= {_other_spellings(name, offered): shape for name in names}
    return {
        "$schema": DRAFT_7,
        "title": "The header of an article or a page",
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
    }


def _other_spellings(name: str, offered: tuple[str, ...]) -> str:
    """Return the pattern of a key as the loader compares it: without case, hyphens and underscores.

    The offered spellings are left out, or editors would report each mistake twice.
    """
    letters = (f"[{letter}{letter.upper()}]" for letter in name)
    return f"^(?!({'|'.join(offered)})$)[-_ ]*{'[-_ ]*'.join(letters)}[-_ ]*$"
