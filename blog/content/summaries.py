"""Problems that many files share, told once with their number."""

from collections import Counter
from collections.abc import Mapping, Sequence

from blog.content.assemble import Assembled
from blog.content.manuscripts import Manuscript
from blog.content.values import Problem


def summarised(manuscripts: Sequence[Manuscript], assembled: Mapping[str, Assembled]) -> list[Problem]:
    """Return what is to be said of all articles together."""
    return [*_undated(manuscripts), *_unknown_keys(manuscripts), *_images_elsewhere(assembled)]


def share(manuscript: Manuscript, made: Assembled) -> tuple[object, ...]:
    """Return all that a summary takes from one article."""
    lines = [manuscript.header.lines.get(key) for key in manuscript.fields.unknown]
    return (manuscript.dated, manuscript.fields.unknown, lines, made.kept.facts.images_elsewhere)


def _undated(manuscripts: Sequence[Manuscript]) -> list[Problem]:
    sources = [item.source for item in manuscripts if not item.dated]
    if not sources:
        return []
    files = "1 file has" if len(sources) == 1 else f"{len(sources):,} files have"
    message = f"{files} no date; the file's modification time is used"
    return [
        Problem(
            sources[0],
            None,
            message,
            "add `date: 2025-05-30` to each, or put it before the file name",
            notice=True,
        )
    ]


def _unknown_keys(manuscripts: Sequence[Manuscript]) -> list[Problem]:
    counted = Counter(key for item in manuscripts for key in item.fields.unknown)
    first: dict[str, Manuscript] = {}
    for item in manuscripts:
        for key in item.fields.unknown:
            first.setdefault(key, item)
    return [
        Problem(
            first[key].source,
            first[key].header.lines.get(key),
            f"the key {key!r} is not known (in {number:,} {'file' if number == 1 else 'files'})",
            "it is kept and changes nothing here; check its spelling, or leave it",
            notice=True,
        )
        for key, number in sorted(counted.items())
    ]


def _images_elsewhere(assembled: Mapping[str, Assembled]) -> list[Problem]:
    found = {source: made.kept.facts.images_elsewhere for source, made in assembled.items()}
    found = {source: number for source, number in found.items() if number}
    if not found:
        return []
    number, files = sum(found.values()), len(found)
    message = f"{number:,} images (in {files:,} files) are on other hosts; they are shown as links"
    hint = "put the image files beside the article: a page must not send its readers' browsers elsewhere"
    return [Problem(next(iter(found)), None, message, hint, notice=True)]
