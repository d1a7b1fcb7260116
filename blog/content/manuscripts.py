"""One content file read: its bytes' fingerprint, its checked header and its body, not yet rendered."""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property, partial
from pathlib import PurePosixPath

from blog.content import dates, front_matter
from blog.content.cores import Cores
from blog.content.defaults import Defaults, Given, missing
from blog.content.fields import Fields, check
from blog.content.front_matter import LARGEST_FILE, Header
from blog.content.keeping import SETTLED_NS
from blog.content.markup import Text
from blog.content.problems import Malformed
from blog.content.renderings import name_of
from blog.content.slugs import is_slug, slug_for, without_date
from blog.content.values import Problem, Status
from blog.content.walk import Found, Walk

DRAFTS = "_drafts"


@dataclass(frozen=True)
class Manuscript:
    """A file that was read; its `text` is let go of once it is rendered, under the name `rendering`."""

    found: Found
    content_hash: str
    header: Header
    fields: Fields
    published_at: datetime
    day: date
    dated: bool
    rendering: str
    text: Text | None = None

    @property
    def source(self) -> str:
        return self.found.source

    @cached_property
    def standing(self) -> tuple[object, ...]:
        """All that decides which address it and others get, and where a problem with that is reported."""
        age = self.published_at if self.dated else None
        says = (self.fields.slug, self.fields.aliases, self.fields.redirect)
        return (self.source, self.wanted_slug, self.status, self.day, age, says, self.header)

    @cached_property
    def status(self) -> Status:
        """What the file says of itself, or the folder it lies in."""
        return "draft" if DRAFTS in self.found.place.parts else self.fields.status

    @property
    def problems(self) -> list[Problem]:
        """What is wrong in its header."""
        return [*self.fields.problems, *_slug_problems(self)]

    @cached_property
    def stem(self) -> str:
        """The name it would have without a header: its bundle's folder, or the file's own."""
        return _stem(self.found.place)

    @cached_property
    def folder(self) -> str:
        """The folder it lies in, without its own bundle; empty at the top."""
        place = self.found.place.parent if self.found.place.stem == "index" else self.found.place
        return place.parent.name

    @cached_property
    def wanted_slug(self) -> str:
        """The last part of its address, if nobody else wants it."""
        if self.fields.slug:
            return slug_for(self.fields.slug.rstrip("/").rpartition("/")[2])
        if self.fields.address:
            return slug_for(PurePosixPath(self.fields.address).name.removesuffix(".html"))
        return slug_for(without_date(self.stem))


@dataclass(frozen=True)
class Reading:
    """A manuscript, and what it was read from: as long as that is the same, it need not be read again."""

    key: tuple[object, ...]
    manuscript: Manuscript


@dataclass
class Shelved:
    """All files of one walk: those that were read, what was wrong, and the sources that were not."""

    manuscripts: list[Manuscript] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    #: Those that may be trusted to be the same at the next load, by source.
    readings: dict[str, Reading] = field(default_factory=dict)

    def let_go_of_texts(self) -> None:
        """Keep the manuscripts without their texts, which have been rendered."""
        known = self.readings
        self.manuscripts = [
            known[item.source].manuscript if item.source in known else replace(item, text=None)
            for item in self.manuscripts
        ]


@dataclass(frozen=True)
class Manner:
    """What decides, beside its bytes and what its folder gives, how a file reads."""

    zone: tzinfo
    salt: str
    language: str = "en"


@dataclass(frozen=True)
class How:
    """How the files of a folder are read; what reads otherwise with the same bytes has another `salt`."""

    defaults: Defaults
    salt: str
    language: str = "en"

    def key(self, found: Found) -> tuple[object, ...]:
        """Return what a file is read from; the same key means the same manuscript."""
        return (found.stamp, self.salt, self.defaults.given(found.source).told_apart)

    @property
    def manner(self) -> Manner:
        """The same without the folders."""
        return Manner(self.defaults.zone, self.salt, self.language)

    def read(self, found: Found, now: datetime) -> Manuscript:
        """Read one file; raises `Malformed`."""
        return _read(found, self.defaults.given(found.source), self.manner, now)

    def read_again(self, manuscript: Manuscript, now: datetime) -> Text:
        """Return the text of a file that was read before; raises `Malformed` when it has changed since."""
        again = self.read(manuscript.found, now)
        if again.text is None or again.rendering != manuscript.rendering:
            message = "the file was changed while it was read"
            hint = "run blog sync again; until then it stays as it was"
            raise Malformed(manuscript.source, None, message, hint)
        return again.text


def read_all(
    walk: Walk,
    how: How,
    now: datetime,
    before: Mapping[str, Reading] | None = None,
    cores: Cores | None = None,
) -> Shelved:
    """Read the files of a walk; a file with a mistake does not stop the others.

    What was read `before`, and has not changed since, is not read again, and has no text.
    """
    shelved = Shelved(problems=list(walk.problems), failed=set(walk.failed))
    files = [found for found in walk.files if how.defaults.given(found.source).values is not None]
    shelved.failed |= {found.source for found in walk.files} - {found.source for found in files}
    keys = {found.source: how.key(found) for found in files}
    known = {source: one for source, one in (before or {}).items() if keys.get(source) == one.key}
    unread = [(found, how.defaults.given(found.source)) for found in files if found.source not in known]
    one = partial(_manuscript_or_problem, how.manner, now)
    fresh = cores.share(unread, one) if cores else map(one, unread)
    for found in files:
        reading = known.get(found.source)
        manuscript = reading.manuscript if reading else next(fresh)
        if isinstance(manuscript, Problem):
            shelved.problems.append(manuscript)
            shelved.failed.add(found.source)
            continue
        shelved.problems.extend(manuscript.problems)
        if not manuscript.fields.usable:
            shelved.failed.add(found.source)
            continue
        shelved.manuscripts.append(manuscript)
        if is_settled(found, now):
            kept = replace(manuscript, text=None) if manuscript.text else manuscript
            unchanged = reading if reading and kept is reading.manuscript else None
            shelved.readings[found.source] = unchanged or Reading(keys[found.source], kept)
    return shelved


def is_settled(found: Found, now: datetime) -> bool:
    """Whether a file may be trusted to be the same while its stamp is the same."""
    # The date of a file without one is its modification time, but never in the future.
    return abs(time.time_ns() - found.changed_ns) >= SETTLED_NS and found.modified <= now.timestamp()


def _manuscript_or_problem(manner: Manner, now: datetime, file: tuple[Found, Given]) -> Manuscript | Problem:
    try:
        return _read(*file, manner, now)
    except Malformed as mistake:
        return mistake.problem


def _read(found: Found, given: Given, manner: Manner, now: datetime) -> Manuscript:
    try:
        with found.path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Malformed(
            found.source, None, f"the file cannot be read: {error.strerror}", "check its permissions"
        ) from None
    header = front_matter.read(raw, found.source)
    added = missing(header, given.values or {})
    if added:
        header = replace(header, fields=header.fields | added)
    fields = check(header, found.source, manner.zone)
    if not (header.body.strip() or fields.title or fields.redirect):
        raise Malformed(
            found.source, None, "there is neither a title nor a text", "write one, or remove the file"
        )
    dated = fields.published_at or _date_in_names(found.place, manner.zone)
    moment = dated or min(datetime.fromtimestamp(found.modified, UTC), now)
    text = _text(header, fields, found.source, given.raw_html, manner.language)
    salted = f"{manner.salt}{given.raw_html}{added or ''}"
    return Manuscript(
        found=found,
        content_hash=hashlib.sha256(salted.encode() + raw).hexdigest(),
        header=replace(header, body="", fields={}, problems=[]),
        fields=fields,
        published_at=moment,
        day=moment.astimezone(manner.zone).date(),
        dated=dated is not None,
        rendering=name_of(text),
        text=text,
    )


def _text(header: Header, fields: Fields, source: str, raw_html: str, language: str) -> Text:
    title = fields.title and re.sub(r"`([^`]+)`", r"\1", fields.title)
    return Text(source, header.body, header.body_line, title, raw_html, fields.language or language)


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
