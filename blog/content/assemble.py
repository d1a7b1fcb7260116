"""A manuscript and its rendering put together: an article or a page as the site will hold it."""

import difflib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import PurePosixPath

from blog.content import wording
from blog.content.fields import PINNED
from blog.content.manuscripts import Manuscript
from blog.content.problems import Malformed
from blog.content.references import Shelf
from blog.content.renderings import Kept
from blog.content.slugs import slug_for, without_date
from blog.content.values import ArticleFile, Body, PageFile, Problem, Prose, Site

#: First parts of the site's own addresses; a page there would never be seen.
RESERVED = {
    *("articles", "topics", "series", "authors", "archive", "search", "digests", "subscribe", "confirm"),
    *("unsubscribe", "preferences", "api", "admin", "healthz", "readyz", "metrics", "dev", "media", "static"),
}


@dataclass(frozen=True)
class Assembled:
    """An article, what there is to mend in it, and what both were made from."""

    manuscript: Manuscript
    kept: Kept
    article: ArticleFile
    problems: list[Problem]


@dataclass
class Desk:
    """What one load works with, and what it notes down on the way.

    `prose` reads the long part of a rendering, whenever somebody wants it.
    """

    site: Site
    shelf: Shelf
    prose: Callable[[Manuscript, Kept], Prose]
    problems: list[Problem] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    rendered: dict[str, Kept | Problem] = field(default_factory=dict)

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


def article(desk: Desk, manuscript: Manuscript) -> Assembled:
    """Return one article; raises `Malformed` when its text could not be rendered."""
    kept = _rendered(desk, manuscript)
    pinned, problems = _pinned(desk, manuscript)
    made = _article(desk, manuscript, kept, pinned)
    return Assembled(manuscript, kept, made, [*kept.facts.problems, *problems])


def _article(desk: Desk, manuscript: Manuscript, kept: Kept, pinned: list[str]) -> ArticleFile:
    fields, slug, facts = manuscript.fields, desk.shelf.by_source[manuscript.source], kept.facts
    topics = _topics(desk, manuscript)
    return ArticleFile(
        slug=slug,
        source=manuscript.source,
        content_hash=manuscript.content_hash,
        status=manuscript.status,
        title=facts.title or _title_from(manuscript.stem),
        description=fields.description,
        excerpt=wording.cut(fields.description or facts.opening),
        body=Body(kept.digest, partial(desk.prose, manuscript, kept), kept.name),
        authors=[desk.authors_by_slug.get(name, name) for name in fields.authors],
        series=fields.series,
        language=fields.language or desk.site.language,
        pinned=pinned,
        topics=list(topics),
        topic_names=topics,
        words=facts.words,
        minutes=facts.minutes,
        published_at=manuscript.published_at,
        updated_at=fields.updated_at,
        expires_at=fields.expires_at,
        aliases=desk.former_addresses.get(slug, []),
        links=[link for link in facts.links if link != slug],
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
    kept = _rendered(desk, manuscript)
    desk.problems.extend(kept.facts.problems)
    title = kept.facts.title or _title_from(manuscript.stem)
    description = manuscript.fields.description or wording.cut(kept.facts.opening)
    return PageFile(slug, manuscript.source, title, description, desk.prose(manuscript, kept).html)


def _rendered(desk: Desk, manuscript: Manuscript) -> Kept:
    outcome = desk.rendered[manuscript.source]
    if isinstance(outcome, Problem):
        raise Malformed(outcome.file, outcome.line, outcome.message, outcome.hint)
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


def _pinned(desk: Desk, manuscript: Manuscript) -> tuple[list[str], list[Problem]]:
    """Return the slugs a file names under `related`, and what is wrong with those no article has (yet)."""
    found: list[str] = []
    problems: list[Problem] = []
    known = set(desk.shelf.by_source.values()) if manuscript.fields.pinned else set()
    for name in manuscript.fields.pinned:
        slug = desk.shelf.by_address.get(name) or slug_for(without_date(PurePosixPath(name).stem))
        found.append(slug)
        if slug in known:
            continue
        near = difflib.get_close_matches(slug, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "write the slug of an article"
        line = manuscript.header.line_of(*PINNED)
        problems.append(Problem(manuscript.source, line, f"related: there is no article {name!r}", hint))
    return list(dict.fromkeys(found)), problems
