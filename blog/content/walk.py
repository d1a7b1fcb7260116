"""The content files of a folder: regular files inside it, whatever links and names lie about."""

import os
import posixpath
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
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
    """A file: `source` is its path in the content folder, `name` its path among the articles or pages.

    `stamp` tells its present state from every other; `modified` is in seconds, `changed_ns` when the state of
    the file itself last changed.
    """

    source: str
    name: str
    real: str
    modified: float
    changed_ns: int
    stamp: tuple[int, ...]

    # Made when asked for: ten thousand paths take a second, and a file that has not changed needs none.
    @cached_property
    def place(self) -> PurePosixPath:
        """The path among the articles or pages."""
        return PurePosixPath(self.name)

    @property
    def path(self) -> Path:
        """The file itself, whatever links lead to it."""
        return Path(self.real)


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
        return _walk(content_dir, folder, lambda name: not _is_front(name))
    return _walk(
        content_dir, content_dir, lambda name: not name.startswith(f"{PAGES}/") and not _is_front(name)
    )


def pages(content_dir: Path) -> Walk:
    """Find the standing pages."""
    return _walk(content_dir, content_dir / PAGES, lambda name: "/" not in name)


def again(found: Found, content_dir: Path) -> Found | None:
    """Return a file that was found before as it is now, if it still is a plain file there."""
    try:
        status = (content_dir / found.source).lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return replace(found, modified=status.st_mtime, changed_ns=status.st_ctime_ns, stamp=_stamp(status))


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)


def _is_front(name: str) -> bool:
    return posixpath.splitext(name)[0] == "index"


def _walk(content_dir: Path, folder: Path, wanted: Callable[[str], bool]) -> Walk:
    walk = Walk()
    if not folder.exists():
        return walk
    top = folder.relative_to(content_dir).as_posix()
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        prefix = f"{inside}/" if inside else ""
        files, folders = _listed(walk, folder / inside, posixpath.normpath(f"{top}/{inside}"))
        add = _adder(walk, content_dir.resolve(), (folder / inside).resolve())
        for entry in files:
            name = prefix + entry.name
            source = name if top == "." else f"{top}/{name}"
            if _is_candidate(entry.name, walk, source) and wanted(name):
                add(entry, source, name)
        waiting.extend(prefix + name for name in reversed(folders))
    return walk


def _listed(walk: Walk, folder: Path, name: str) -> tuple[list[os.DirEntry[str]], list[str]]:
    """Return the files of a folder and the folders in it, by name; what is only linked to is no folder."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        walk.failed.add(f"{name}/")
        walk.problems.append(Problem(name, None, "the folder cannot be read", "check its permissions"))
        return [], []
    folders = {entry.name for entry in found if _is_folder(entry)}
    inside = [
        entry.name
        for entry in found
        if entry.name in folders and not entry.is_symlink() and not entry.name.startswith(".")
    ]
    return [entry for entry in found if entry.name not in folders], inside


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circle of links
        return False


def _is_candidate(name: str, walk: Walk, source: str) -> bool:
    stem, suffix = posixpath.splitext(name)
    if name.startswith(".") or stem.lower() in _NOT_ARTICLES:
        return False
    if suffix.lower() in _OTHER_FORMATS:
        message = f"{suffix} files are not published"
        walk.problems.append(Problem(_shown(source), None, message, "save it as Markdown: .md"))
    return suffix.lower() in MARKDOWN


def _adder(walk: Walk, root: Path, folder: Path) -> Callable[[os.DirEntry[str], str, str], None]:
    """Return what adds the files of one folder, `folder` being where it really is."""
    inside, start = folder.is_relative_to(root), f"{folder}/"

    def add(entry: os.DirEntry[str], source: str, name: str) -> None:
        if not source.isprintable() or len(source) > LONGEST_SOURCE:
            hint = f"rename it: at most {LONGEST_SOURCE} characters, all of them printable"
            walk.problems.append(Problem(_shown(source), None, "the file's name cannot be stored", hint))
            return
        try:
            linked = Path(entry.path).resolve(strict=True) if entry.is_symlink() else None
            status = entry.stat()
        except (OSError, RuntimeError):  # gone, or a circle of links
            walk.failed.add(source)
            walk.problems.append(Problem(source, None, "the file cannot be read", "check where it leads"))
            return
        if not (linked.is_relative_to(root) if linked else inside):
            hint = "put the file itself into the content folder"
            walk.problems.append(Problem(source, None, "the link leads out of the content folder", hint))
        elif stat.S_ISREG(status.st_mode):
            real, modified = str(linked or start + entry.name), status.st_mtime
            walk.files.append(Found(source, name, real, modified, status.st_ctime_ns, _stamp(status)))
        else:
            walk.problems.append(Problem(source, None, "this is not a regular file", "remove or replace it"))

    return add


def _shown(source: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in source)[:LONGEST_SOURCE]
