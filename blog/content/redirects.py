"""The addresses articles once had: which article each leads to now."""

from collections.abc import Iterable

from blog.content.fields import ADDRESS, ALIASES, REDIRECT
from blog.content.manuscripts import Manuscript
from blog.content.slugs import old_path
from blog.content.values import Problem


def addresses(
    manuscripts: Iterable[Manuscript], slugs: dict[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    """Return every address that leads to an article, present and former, with the article's slug."""
    found = {f"/articles/{slug}": slug for slug in slugs.values()}
    problems: list[Problem] = []
    for item in manuscripts:
        if item.source not in slugs:
            continue
        for alias in item.fields.aliases:
            holder = found.setdefault(alias, slugs[item.source])
            if holder != slugs[item.source]:
                message = f"the old address {alias} leads to /articles/{holder} already"
                hint = "keep it in one of the two files only"
                problems.append(Problem(item.source, _line(item), message, hint))
    return found, problems


def stubs(manuscripts: Iterable[Manuscript], by_address: dict[str, str]) -> list[Problem]:
    """Add the files that only say where an article has moved; report those that lead nowhere."""
    problems: list[Problem] = []
    for item in manuscripts:
        if not item.fields.redirect:
            continue
        target = by_address.get(old_path(item.fields.redirect) or "")
        if target is None:
            message = f"redirect: {item.fields.redirect} is not the address of an article here"
            hint = "write the address of one, such as /articles/its-slug"
            problems.append(Problem(item.source, item.header.line_of(*REDIRECT), message, hint))
            continue
        for alias in item.fields.aliases or [f"/{item.wanted_slug}"]:
            by_address.setdefault(alias, target)
        by_address.setdefault(f"/articles/{item.wanted_slug}", target)
    return problems


def _line(item: Manuscript) -> int | None:
    return item.header.line_of(*ALIASES, *ADDRESS)
