"""One content file read: its bytes' fingerprint, its checked header and its body, not yet rendered."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any

from blog.content import dates, front_matter
from blog.content.defaults import Defaults, missing
from blog.content.fields import Fields, check
from blog.content.front_matter import LARGEST_FILE, Header
from blog.content.problems import Malformed
from blog.content.slugs import is_slug, slug_for, without_date
from blog.content.values import Problem, Status
from blog.content.walk import Found, Walk

DRAFTS = "_drafts"


@dataclass(frozen=True)
class Manuscript:
    """A file that was read."""

    found: Found
    content_hash: str
    header: Header
    fields: Fields
    published_at: datetime
    day: date
    dated: bool
    raw_html: str

    @property
    def source(self) -> str:
        return self.found.source

    @property
    def status(self) -> Status:
        """What the file says of itself, or the folder it lies in."""
        return "draft" if DRAFTS in self.found.place.parts else self.fields.status

    @property
    def stem(self) -> str:
        """The name it would have without a header: its bundle's folder, or the file's own."""
        return _stem(self.found.place)

    @property
    def folder(self) -> str:
        """The folder it lies in, without its own bundle; empty at the top."""
        place = self.found.place.parent if self.found.place.stem == "index" else self.found.place
        return place.parent.name

    @property
    def wanted_slug(self) -> str:
        """The last part of its address, if nobody else wants it."""
        if self.fields.slug:
            return slug_for(self.fields.slug.rstrip("/").rpartition("/")[2])
        if self.fields.address:
            return slug_for(PurePosixPath(self.fields.address).name.removesuffix(".html"))
        return slug_for(without_date(self.stem))


@dataclass
class Shelved:
    """All files of one walk: those that were read, what was wrong, and the sources that were not."""

    manuscripts: list[Manuscript] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)


def read_all(walk: Walk, defaults: Defaults, salt: str, now: datetime) -> Shelved:
    """Read the files of a walk; a file with a mistake does not stop the others."""
    shelved = Shelved(problems=list(walk.problems), failed=set(walk.failed))
    for found in walk.files:
        given = defaults.below(found.source)
        if given is None:
            shelved.failed.add(found.source)
            continue
        try:
            raw_html = defaults.raw_html(found.source)
            manuscript = _read(found, given, raw_html, defaults.zone, f"{salt}{raw_html}", now)
        except Malformed as mistake:
            shelved.problems.append(mistake.problem)
            shelved.failed.add(found.source)
            continue
        shelved.problems.extend([*manuscript.fields.problems, *_slug_problems(manuscript)])
        if manuscript.fields.usable:
            shelved.manuscripts.append(manuscript)
        else:
            shelved.failed.add(found.source)
    return shelved


def _read(found: Found, defaults: dict[str, Any], raw_html: str, zone: tzinfo, salt: str, now: datetime) -> Manuscript:
    try:
        with found.path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Malformed(
            found.source, None, f"the file cannot be read: {error.strerror}", "check its permissions"
        ) from None
    header = front_matter.read(raw, found.source)
    added = missing(header, defaults)
    if added:
        header, salt = replace(header, fields=header.fields | added), f"{salt}{added}"
    fields = check(header, found.source, zone)
    if not (header.body.strip() or fields.title or fields.redirect):
        raise Malformed(
            found.source, None, "there is neither a title nor a text", "write one, or remove the file"
        )
    given = fields.published_at or _date_in_names(found.place, zone)
    moment = given or min(datetime.fromtimestamp(found.modified, UTC), now)
    content_hash = hashlib.sha256(salt.encode() + raw).hexdigest()
    day = moment.astimezone(zone).date()
    return Manuscript(found, content_hash, header, fields, moment, day, given is not None, raw_html)


def _date_in_names(place: PurePosixPath, zone: tzinfo) -> datetime | None:
    return dates.in_name(_stem(place), zone) or dates.in_path(place.parent.as_posix(), zone)


def _stem(place: PurePosixPath) -> str:
    return place.parent.name if place.stem == "index" and place.parent.name else place.stem


def _slug_problems(manuscript: Manuscript) -> list[Problem]:
    given = manuscript.fields.slug
    if not given or is_slug(given.lower()):
        return []
    line = manuscript.header.lines.get("slug")
    message = f"slug: {given!r} cannot stand in an address; {manuscript.wanted_slug!r} is used"
    hint = "use lower-case letters, digits and single hyphens, at most 100"
    return [Problem(manuscript.source, line, message, hint)]
