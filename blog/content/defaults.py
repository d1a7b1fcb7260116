"""`_defaults.yaml` or `_defaults.toml`: header keys for all articles below a folder that lack their own.

The nearest folder wins, key by key, and an article's own header before all. A file of defaults that cannot be
read may have held `draft: true`; so the articles below it stay as they are until it is mended.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from blog.content import fields, front_matter
from blog.content.front_matter import LARGEST_FILE, Header
from blog.content.keys import squeezed
from blog.content.problems import Malformed
from blog.content.raw_html import MODES, SANITIZE
from blog.content.values import Problem

#: File name → the mark that encloses a header of that language.
NAMES = {"_defaults.yaml": b"---", "_defaults.yml": b"---", "_defaults.toml": b"+++"}

_GROUPS = (
    *(fields.UPDATED, fields.EXPIRES, fields.DESCRIPTION, fields.AUTHORS, fields.LANGUAGE, fields.PINNED),
    *(fields.IMAGE, (*fields.TOPICS, "keywords")),
)
#: Which keys of an article answer what a default says: `tags` answers `topics`, and of the keys that keep an
#: article back, `hidden: false` says nothing about `draft`.
_ANSWERS: dict[str, set[str]] = {name: set(names) for names in _GROUPS for name in names} | {
    "draft": {"draft", "status"},
    "hidden": {"hidden", "status"},
    "status": {"draft", "status"},
}
#: What becomes of HTML in a folder's texts: for whoever can write its defaults to decide, and not for a text.
RAW_HTML = "rawhtml"
#: What only one article can have.
_OWN = {*fields.TITLE, *fields.DATE, *fields.ADDRESS, *fields.ALIASES, *fields.REDIRECT, "slug"}


@dataclass(frozen=True)
class Given:
    """What the files of one folder are given; `values` is None when some of that cannot be known."""

    values: dict[str, Any] | None
    raw_html: str

    @cached_property
    def told_apart(self) -> str:
        """What differs whenever something else is given."""
        return repr((self.values, self.raw_html))


@dataclass
class Defaults:
    """The defaults of all folders of one content folder, each file read once."""

    content_dir: Path
    zone: tzinfo
    problems: list[Problem] = field(default_factory=list)
    site_raw_html: str = SANITIZE
    _read: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    _raw_html: dict[str, str] = field(default_factory=dict)
    _given: dict[str, Given] = field(default_factory=dict)

    def given(self, source: str) -> Given:
        """Return what is given to a file."""
        folder = source.rpartition("/")[0]
        if folder not in self._given:
            values = self._below(source)
            self._given[folder] = Given(values, self._html_below(source))
        return self._given[folder]

    def _below(self, source: str) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for folder in reversed(PurePosixPath(source).parents):
            name = folder.as_posix()
            if name not in self._read:
                self._read[name] = self._of(folder)
            given = self._read[name]
            if given is None:
                return None
            found = {**_unanswered(found, given), **given}
        return found

    def _html_below(self, source: str) -> str:
        """Return what becomes of HTML in a file: what its nearest folder says, or else the site."""
        folders = (folder.as_posix() for folder in PurePosixPath(source).parents)
        return next((self._raw_html[name] for name in folders if name in self._raw_html), self.site_raw_html)

    def _of(self, folder: PurePosixPath) -> dict[str, Any] | None:
        """Return what one folder itself gives."""
        there = [name for name in NAMES if (self.content_dir / folder / name).is_file()]
        if not there:
            return {}
        source = (folder / there[0]).as_posix()
        for other in there[1:]:
            message, hint = f"{there[0]} in the same folder is used instead", "keep one of the two"
            self.problems.append(Problem((folder / other).as_posix(), None, message, hint))
        try:
            path = _inside(self.content_dir, source)
            return self._checked(_header(path, source, NAMES[there[0]]), source)
        except Malformed as mistake:
            self._report([mistake.problem])
            return None

    def _checked(self, header: Header, source: str) -> dict[str, Any] | None:
        header, sound = self._without_raw_html(header, source)
        own = [key for key in header.fields if squeezed(key) in _OWN]
        shared = {key: value for key, value in header.fields.items() if key not in own}
        checked = fields.check(replace(header, fields=shared), source, self.zone)
        self._report(checked.problems)
        self._report(_own(header, source, key) for key in own)
        self._report(_unknown(header, source, key) for key in checked.unknown)
        if (
            not sound or not checked.usable or "published" in map(squeezed, own)
        ):  # which may have kept them back
            return None
        mistakes = {problem.line for problem in checked.problems[len(header.problems) :]}
        ignored = {*checked.unknown, *(key for key in shared if header.lines.get(key) in mistakes)}
        return {key: value for key, value in shared.items() if key not in ignored}

    def _without_raw_html(self, header: Header, source: str) -> tuple[Header, bool]:
        """Note what a folder says of HTML, which is no key of an article; a mistake there keeps all back."""
        sound = True
        for key, value in header.fields.items():
            if squeezed(key) == RAW_HTML and value in MODES:
                self._raw_html[PurePosixPath(source).parent.as_posix()] = str(value)
            elif squeezed(key) == RAW_HTML:
                sound = False
                message = f"{key}: {value!r} is not understood"
                hint = f"write {', '.join(MODES)}; until then the articles below stay as they are"
                self._report([Problem(source, header.lines.get(key), message, hint)])
        others = {key: value for key, value in header.fields.items() if squeezed(key) != RAW_HTML}
        return replace(header, fields=others), sound

    def _report(self, problems: Iterable[Problem]) -> None:
        """Note problems of a header that was read with one line before its first."""
        for problem in problems:
            line = max(1, problem.line - 1) if problem.line else None
            self.problems.append(replace(problem, line=line))


def missing(header: Header, defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults that a header does not answer itself."""
    table = next((value for key, value in header.fields.items() if squeezed(key) == "taxonomies"), None)
    return _unanswered(defaults, [*header.fields, *(table if isinstance(table, dict) else ())])


def _unanswered(defaults: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    said = {squeezed(key) for key in keys}
    return {
        key: value
        for key, value in defaults.items()
        if not said & ({squeezed(key)} | _ANSWERS.get(squeezed(key), set()))
    }


def _inside(content_dir: Path, source: str) -> Path:
    path = (content_dir / source).resolve()
    if not path.is_relative_to(content_dir.resolve()):
        hint = "put the file itself into the content folder"
        raise Malformed(source, None, "the link leads out of the content folder", hint)
    return path


def _header(path: Path, source: str, mark: bytes) -> Header:
    """Read a file of defaults as if it stood at the head of an article."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Malformed(
            source, None, f"the file cannot be read: {error.strerror}", "check its permissions"
        ) from None
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw.startswith(mark):  # YAML may open with its own mark
        raw = b"#" + raw[len(mark) :]
    header = front_matter.read(mark + b"\n" + raw + b"\n" + mark + b"\n", source)
    if header.body.strip():
        line = header.body_line
        raise Malformed(source, line, "there is more than the keys", "remove everything from here on")
    return header


def _own(header: Header, source: str, key: str) -> Problem:
    message = f"{key}: every article has its own"
    hint = "write it into the articles (or `draft: true`, to keep them all back); the key is ignored here"
    return Problem(source, header.lines.get(key), message, hint)


def _unknown(header: Header, source: str, key: str) -> Problem:
    message = f"the key {key!r} is not known"
    return Problem(
        source, header.lines.get(key), message, "check its spelling; the key is ignored here", True
    )
