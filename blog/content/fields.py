"""The keys of a header, whatever dialect they come from, as one set of checked values.

A mistake in a key that decides whether, when and where an article appears (title, date, expiry, draft,
status, slug) stops that file; a mistake in any other key is reported and the key left out.
"""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from blog.content import dates
from blog.content.front_matter import Header
from blog.content.keys import Keys, joined, plain, squeezed, storable_as_json, truth
from blog.content.slugs import old_path
from blog.content.values import Problem, Status

TITLE = ("title", "name")
DATE = ("date", "pubdate", "publishdate", "published", "publishedat", "created")
UPDATED = ("updated", "lastmod", "modified", "updateddate", "lastmodifiedat", "updatedat")
EXPIRES = ("expirydate", "unpublishdate", "expires", "expiresat")
STATUS = ("draft", "hidden", "published", "status")
DESCRIPTION = ("description", "summary", "subtitle", "spoiler", "excerpt", "customexcerpt", "dek")
TOPICS = ("topics", "tags", "tag", "categories", "category")
AUTHORS = ("authors", "author", "by")
LANGUAGE = ("language", "lang", "locale")
DATE_ORDER = ("dateorder",)
ADDRESS = ("path", "url", "permalink")
ALIASES = ("aliases", "alias", "redirectfrom")
REDIRECT = ("redirect", "redirectto")
PINNED = ("related", "relatedposts")
IMAGE = ("image", "ogimage", "heroimage", "featuredimage", "featureimage", "cover")
#: Tables in which tools keep a theme's own keys: kept, and nothing to report.
CONTAINERS = ("extra", "params")

LONGEST_TITLE = 500
_STATUSES: dict[str, Status] = {
    "published": "published",
    "publish": "published",
    "live": "published",
    "draft": "draft",
    "skip": "draft",
    "private": "draft",
    "hidden": "hidden",
    "unlisted": "hidden",
}
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
# `Matt Cowley, Claudio Wunder` are two people; `Russ Cox, for the Go team` is one.
_FULL_NAME = re.compile(r"[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){1,3}")


@dataclass(frozen=True, kw_only=True)
class Fields:
    """What a header says, checked; when not `usable`, the file must not be published as it stands."""

    title: str | None
    status: Status
    published_at: datetime | None
    updated_at: datetime | None
    expires_at: datetime | None
    description: str
    topics: list[str]
    series: str | None
    authors: list[str]
    language: str | None
    slug: str | None
    address: str | None
    aliases: list[str]
    redirect: str | None
    pinned: list[str]
    extra: dict[str, Any]
    unknown: list[str]
    problems: list[Problem]
    usable: bool


def check(header: Header, file: str, zone: tzinfo) -> Fields:
    """Read the known keys of a header; everything wrong with them is in `problems`."""
    keys = Keys(header, file, zone)
    taxonomies = dict(keys.given(("taxonomies",))).get("taxonomies")
    table = taxonomies if isinstance(taxonomies, dict) else {}
    address = _address(keys)
    keys.order = _date_order(keys)
    return Fields(
        title=keys.text(TITLE, decisive=True, longest=LONGEST_TITLE),
        status=_status(keys),
        published_at=keys.moment(DATE, decisive=True) or dates.in_path(address or "", zone),
        updated_at=keys.moment(UPDATED),
        expires_at=keys.moment(EXPIRES, decisive=True),
        description=keys.text(DESCRIPTION) or "",
        topics=_topics(keys, table),
        series=_series(keys, table),
        authors=_authors(keys, table),
        language=_language(keys),
        slug=keys.text(("slug",), decisive=True),
        address=address,
        aliases=_aliases(keys, address),
        redirect=keys.text(REDIRECT),
        pinned=keys.names(PINNED),
        # From here on the order matters: what is left, and what was wrong, is known when all is read.
        extra=_extra(keys),
        unknown=list(keys.unread()),
        problems=[*header.problems, *keys.problems],
        usable=keys.usable,
    )


def _date_order(keys: Keys) -> dates.Order | None:
    for key, value in keys.given(DATE_ORDER):
        if value in list(dates.Order):
            return dates.Order(value)
        keys.wrong(key, value, " or ".join(dates.Order))
    return None


def _status(keys: Keys) -> Status:
    says = {_one_status(keys, key, value) for key, value in keys.given(STATUS)}
    return "draft" if "draft" in says else "hidden" if "hidden" in says else "published"


def _one_status(keys: Keys, key: str, value: object) -> Status:
    name, said = squeezed(key), truth(value)
    if name == "published":
        return "draft" if said is False else "published"  # anything but a yes-or-no is a date
    if name == "status" and str(value).lower() in _STATUSES:
        return _STATUSES[str(value).lower()]
    if name != "status" and said is not None:
        kind: Status = "draft" if name == "draft" else "hidden"
        return kind if said else "published"
    keys.wrong(
        key, value, "draft, hidden or published" if name == "status" else "true or false", decisive=True
    )
    return "draft"


def _topics(keys: Keys, table: dict[str, Any]) -> list[str]:
    return keys.names(TOPICS) or _listed(keys, table, "tags", "categories") or keys.names(("keywords",))


def _series(keys: Keys, table: dict[str, Any]) -> str | None:
    given = [*keys.names(("series",), separator="\n"), *_listed(keys, table, "series")]
    return given[0] if given else None


def _authors(keys: Keys, table: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for key, value in keys.given(AUTHORS):
        found.extend(_people(value) if isinstance(value, str) else keys.items(key, value, ";"))
    return list(dict.fromkeys(found or _listed(keys, table, "authors")))


def _listed(keys: Keys, table: dict[str, Any], *names: str) -> list[str]:
    return [item for name in names if table.get(name) for item in keys.items("taxonomies", table[name], ",")]


def _people(text: str) -> list[str]:
    if ";" in text:
        return [joined(part) for part in text.split(";") if part.strip()]
    parts = [joined(part) for part in text.split(",")]
    return parts if all(_FULL_NAME.fullmatch(part) for part in parts) else [joined(text)]


def _language(keys: Keys) -> str | None:
    tag = keys.text(LANGUAGE)
    if tag is None or _LANGUAGE_TAG.fullmatch(tag):
        return tag
    keys.wrong(keys.given(LANGUAGE)[0][0], tag, "en, or pt-BR")
    return None


def _address(keys: Keys) -> str | None:
    """Return the address the file asks for, when it is spelt out and not a pattern or another site's."""
    for _, value in keys.given(ADDRESS):
        text = plain(value) or ""
        if truth(text) is None and not re.search(r"[:{}]", text):
            return old_path(text)
    return None


def _aliases(keys: Keys, address: str | None) -> list[str]:
    found = [address] if address else []
    for key, value in keys.given(ALIASES):
        for item in value if isinstance(value, list) else str(value).split():
            path = old_path(plain(item) or "")
            if path:
                found.append(path)
            else:
                keys.wrong(key, item, "[/an/old/path]")
    return list(dict.fromkeys(found))


def _extra(keys: Keys) -> dict[str, Any]:
    images = [storable_as_json(value) for _, value in keys.given(IMAGE)]
    kept = {key: storable_as_json(value) for key, value in [*keys.given(CONTAINERS), *keys.unread().items()]}
    return kept | ({"image": images[0]} if images else {})
