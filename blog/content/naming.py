"""Which address each article gets, so that every one has its own and nobody loses one."""

from collections.abc import Iterable

from blog.content.manuscripts import Manuscript
from blog.content.slugs import LONGEST, shortened, slug_for
from blog.content.values import Problem


def assign(manuscripts: Iterable[Manuscript]) -> tuple[dict[str, str], list[Problem]]:
    """Return the slug of each source, whatever order they come in.

    Of two that want the same one, a published file goes before a draft, a slug that was asked for before
    one from a file name, and then the older: so a new file never takes the address of an old one.
    """
    slugs: dict[str, str] = {}
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    for manuscript in sorted(manuscripts, key=_precedence):
        wanted = manuscript.wanted_slug
        slug = next(slug for slug in _candidates(manuscript, wanted) if slug not in owners)
        slugs[manuscript.source], owners[slug] = slug, manuscript.source
        if slug != wanted:
            message = f"{owners[wanted]} has the address /articles/{wanted}; this file gets /articles/{slug}"
            hint = "set `slug:` in one of the two to choose"
            line = manuscript.header.line_of("slug", "permalink", "url", "path", "title")
            problems.append(Problem(manuscript.source, line, message, hint))
    return slugs, problems


def _precedence(manuscript: Manuscript) -> tuple[bool, bool, bool, float, str]:
    # A modification time says nothing about age: a checkout makes all files new.
    age = manuscript.published_at.timestamp() if manuscript.dated else 0.0
    asked_for = manuscript.fields.slug is not None
    return (manuscript.status != "published", not asked_for, not manuscript.dated, age, manuscript.source)


def _candidates(manuscript: Manuscript, wanted: str) -> Iterable[str]:
    yield wanted
    if manuscript.dated:
        yield _joined(wanted, manuscript.day.isoformat())
    if manuscript.folder:
        yield shortened(f"{slug_for(manuscript.folder)}-{wanted}")
    number = 2
    while True:
        yield _joined(wanted, str(number))
        number += 1


def _joined(slug: str, suffix: str) -> str:
    return f"{shortened(slug, LONGEST - len(suffix) - 1)}-{suffix}"
