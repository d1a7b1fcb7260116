"""The content files of a folder: regular files inside it, whatever links and names lie about."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from blog.content.references import MARKDOWN
from blog.content.values import Problem

ARTICLES, PAGES = "articles", "pages"
LONGEST_SOURCE = 500
#: Formats people try; their files beside an article are not mistakes unless they are whole articles.
_OTHER_FORMATS = (".rst", ".org", ".adoc", ".lr")
_NOT_ARTICLES = {"readme", "_index"}


@dataclass(frozen=True)
class Found:
    """A file: `source` is its path in the content folder, `place` its path among the articles or pages."""

    source: str
    place: PurePosixPath
    path: Path
    modified: float


@dataclass
class Walk:
    """What was found, what was wrong, and the sources (or folders, with a slash) that could not be read."""

    files: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)


def articles(content_dir: Path) -> Walk:
    """Find the articles: all under `articles/` or, without that folder, all that is not a page."""
    folder = content_dir / ARTICLES
    if folder.is_dir():
        return _walk(content_dir, folder, lambda place: not _is_front(place))
    return _walk(content_dir, content_dir, lambda place: place.parts[0] != PAGES and not _is_front(place))


def pages(content_dir: Path) -> Walk:
    """Find the standing pages."""
    return _walk(content_dir, content_dir / PAGES, lambda place: len(place.parts) == 1)


def _is_front(place: PurePosixPath) -> bool:
    return place.stem == "index" and len(place.parts) == 1


def _walk(content_dir: Path, folder: Path, wanted: Callable[[PurePosixPath], bool]) -> Walk:
    walk = Walk()
    root = content_dir.resolve()
    if not folder.exists():
        return walk

    def unreadable(error: OSError) -> None:
        name = Path(error.filename).relative_to(content_dir).as_posix()
        walk.failed.add(f"{name}/")
        walk.problems.append(Problem(name, None, "the folder cannot be read", "check its permissions"))

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            place = PurePosixPath(path.relative_to(folder).as_posix())
            if _is_candidate(place, walk, path.relative_to(content_dir).as_posix()) and wanted(place):
                _add(walk, path, place, content_dir, root)
    return walk


def _is_candidate(place: PurePosixPath, walk: Walk, source: str) -> bool:
    if place.name.startswith(".") or place.stem.lower() in _NOT_ARTICLES:
        return False
    if place.suffix.lower() in _OTHER_FORMATS:
        message = f"{place.suffix} files are not published"
        walk.problems.append(Problem(_shown(source), None, message, "save it as Markdown: .md"))
    return place.suffix.lower() in MARKDOWN


def _add(walk: Walk, path: Path, place: PurePosixPath, content_dir: Path, root: Path) -> None:
    source = path.relative_to(content_dir).as_posix()
    if not source.isprintable() or len(source) > LONGEST_SOURCE:
        hint = f"rename it: at most {LONGEST_SOURCE} characters, all of them printable"
        walk.problems.append(Problem(_shown(source), None, "the file's name cannot be stored", hint))
        return
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError):  # gone, or a circle of links
        walk.failed.add(source)
        walk.problems.append(Problem(source, None, "the file cannot be read", "check where it leads"))
        return
    if not real.is_relative_to(root):
        hint = "put the file itself into the content folder"
        walk.problems.append(Problem(source, None, "the link leads out of the content folder", hint))
    elif stat.S_ISREG(status.st_mode):
        walk.files.append(Found(source, place, real, status.st_mtime))
    else:
        walk.problems.append(Problem(source, None, "this is not a regular file", "remove or replace it"))


def _shown(source: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in source)[:LONGEST_SOURCE]
