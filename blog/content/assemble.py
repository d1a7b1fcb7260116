"""A manuscript and its rendering put together: an article or a page as the site will hold it."""

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from blog.content import headings, wording
from blog.content.fields import PINNED
from blog.content.manuscripts import Manuscript
from blog.content.markup import Rendered, Text
from blog.content.problems import Malformed
from blog.content.references import Shelf
from blog.content.slugs import slug_for, without_date
from blog.content.values import ArticleFile, PageFile, Problem, Site

#: First parts of the site's own addresses; a page there would never be seen.
RESERVED = {
    *("articles", "topics", "series", "authors", "archive", "search", "digests", "subscribe", "confirm"),
    *("unsubscribe", "preferences", "api", "admin", "healthz", "readyz", "metrics", "dev", "media", "static"),
}


@dataclass
class Desk:
    """What one load works with, and what it notes down on the way."""

    site: Site
    shelf: Shelf
    problems: list[Problem] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    images_elsewhere: dict[str, int] = field(default_factory=dict)
    rendered: dict[str, Rendered | Problem] = field(default_factory=dict)

    @cached_property
    def former_addresses(self) -> dict[str, list[str]]:
        """The old addresses of each slug."""
        found: dict[str, list[str]] = defaultdict(list)
        for address, slug in self.shelf.by_address.items():
            if address != f"/articles/{slug}":
                found[slug].append(address)
        return found

    @cached_property
    def topics_by_name(self) -> dict[str, tuple[str, str]]:
        """The site's topics (slug and name) under every slug an article may write for them."""
        named = {slug_for(topic.name): (topic.slug, topic.name) for topic in self.site.topics}
        return named | {topic.slug: (topic.slug, topic.name) for topic in self.site.topics}

    @cached_property
    def authors_by_slug(self) -> dict[str, str]:
        return {author.slug: author.name for author in self.site.authors}


def article(desk: Desk, manuscript: Manuscript) -> ArticleFile:
    """Return one article; raises `Malformed` when its text could not be rendered."""
    fields, slug = manuscript.fields, desk.shelf.by_source[manuscript.source]
    rendered = _rendered(desk, manuscript)
    topics = _topics(desk, manuscript)
    if rendered.images_elsewhere:
        desk.images_elsewhere[manuscript.source] = rendered.images_elsewhere
    return ArticleFile(
        slug=slug,
        source=manuscript.source,
        content_hash=manuscript.content_hash,
        status=manuscript.status,
        title=rendered.title or _title_from(manuscript.stem),
        description=fields.description,
        excerpt=wording.cut(fields.description or rendered.opening),
        html=rendered.html,
        text=rendered.text,
        contents=headings.contents(rendered.headings),
        headings=[entry["title"] for entry in rendered.headings],
        authors=[desk.authors_by_slug.get(name, name) for name in fields.authors],
        series=fields.series,
        language=fields.language or desk.site.language,
        pinned=_pinned(desk, manuscript),
        topics=list(topics),
        topic_names=topics,
        words=rendered.words,
        minutes=rendered.minutes,
        published_at=manuscript.published_at,
        updated_at=fields.updated_at,
        expires_at=fields.expires_at,
        aliases=desk.former_addresses.get(slug, []),
        links=[link for link in rendered.links if link != slug],
        extra=fields.extra,
        dated=manuscript.dated,
    )


def page(desk: Desk, manuscript: Manuscript) -> PageFile:
    """Return one standing page; raises `Malformed` when that cannot be done."""
    slug = manuscript.wanted_slug
    if slug in RESERVED:
        line = manuscript.header.line_of("slug", "title")
        message = f"/{slug} is one of the site's own addresses"
        raise Malformed(manuscript.source, line, message, "rename the file, or set another `slug:`")
    rendered = _rendered(desk, manuscript)
    title = rendered.title or _title_from(manuscript.stem)
    description = manuscript.fields.description or wording.cut(rendered.opening)
    return PageFile(slug, manuscript.source, title, description, rendered.html)


def text_of(manuscript: Manuscript) -> Text:
    """Return what is to be rendered of a manuscript."""
    header = manuscript.header
    title = manuscript.fields.title and re.sub(r"`([^`]+)`", r"\1", manuscript.fields.title)
    return Text(manuscript.source, header.body, header.body_line, title, manuscript.raw_html)


def _rendered(desk: Desk, manuscript: Manuscript) -> Rendered:
    outcome = desk.rendered[manuscript.source]
    if isinstance(outcome, Problem):
        raise Malformed(outcome.file, outcome.line, outcome.message, outcome.hint)
    desk.problems.extend(outcome.problems)
    return outcome


def _title_from(stem: str) -> str:
    words = without_date(stem).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] or "Untitled"


def _topics(desk: Desk, manuscript: Manuscript) -> dict[str, str]:
    """Return slug → name; without any header, the folder the file lies in is its topic."""
    names = manuscript.fields.topics
    if (
        not (names or manuscript.header.present)
        and manuscript.folder
        and not manuscript.folder.startswith("_")
    ):
        names = [manuscript.folder]
    found: dict[str, str] = {}
    for name in names:
        slug, shown = desk.topics_by_name.get(slug_for(name), (slug_for(name), name))
        found.setdefault(slug, shown)
    return found


def _pinned(desk: Desk, manuscript: Manuscript) -> list[str]:
    """Return the slugs a file names under `related`; report those that no article has (yet)."""
    known = set(desk.shelf.by_source.values())
    found: list[str] = []
    for name in manuscript.fields.pinned:
        slug = desk.shelf.by_address.get(name) or slug_for(without_date(PurePosixPath(name).stem))
        found.append(slug)
        if slug in known:
            continue
        near = difflib.get_close_matches(slug, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "write the slug of an article"
        line = manuscript.header.line_of(*PINNED)
        desk.problems.append(Problem(manuscript.source, line, f"related: there is no article {name!r}", hint))
    return list(dict.fromkeys(found))
