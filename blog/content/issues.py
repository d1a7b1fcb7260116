"""`content/issues/*.md`: what the editor says in an issue, its subject, and which articles stand first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from blog.content import front_matter
from blog.content.front_matter import Header
from blog.content.problems import Malformed
from blog.content.values import Problem

FOLDER = "issues"
CADENCES = ("instant", "daily", "weekly", "monthly")
NEXT = "next"
_KNOWN = {"cadence", "date", "subject", "pinned", "title"}


@dataclass(frozen=True)
class Note:
    """One file: for which cadences, for the issue of which day (None: the next one), and what it says."""

    source: str
    cadences: tuple[str, ...]
    day: date | None
    subject: str
    pinned: tuple[str, ...]
    body: str
    pinned_line: int | None = None


def read(content_dir: Path) -> tuple[list[Note], list[Problem]]:
    """Return the notes that can be read, by file name, and what is wrong with the others."""
    notes, problems = [], []
    for path in sorted((content_dir / FOLDER).glob("*.md")):
        source = f"{FOLDER}/{path.name}"
        try:
            header = front_matter.read(path.read_bytes(), source)
        except Malformed as error:
            problems.append(error.problem)
            continue
        except OSError as error:
            problems.append(
                Problem(source, None, f"it cannot be read: {error.strerror}", "check its permissions")
            )
            continue
        problems += header.problems
        found = _problems(header, source)
        problems += found
        if not found:
            notes.append(_note(header, source))
    return notes, problems


def _note(header: Header, source: str) -> Note:
    fields = header.fields
    day = fields.get("date", NEXT)
    return Note(
        source=source,
        cadences=_words(fields.get("cadence")) or CADENCES,
        day=None if str(day) == NEXT else _day(day),
        subject=" ".join(str(fields.get("subject") or "").split()),
        pinned=_words(fields.get("pinned")),
        body=header.body.strip(),
        pinned_line=header.line_of("pinned"),
    )


def _problems(header: Header, source: str) -> list[Problem]:
    fields, found = header.fields, []
    for key in sorted(fields.keys() - _KNOWN):
        hint = "known are cadence, date, subject and pinned"
        found.append(Problem(source, header.line_of(key), f"{key}: is not a known key", hint))
    for cadence in set(_words(fields.get("cadence"))) - set(CADENCES):
        hint = f"write {', '.join(CADENCES)}, or leave it out for all"
        found.append(Problem(source, header.line_of("cadence"), f"cadence: {cadence!r} is none", hint))
    day = fields.get("date", NEXT)
    if str(day) != NEXT and _day(day) is None:
        hint = 'write "next", or the day of the issue as 2026-11-27'
        found.append(Problem(source, header.line_of("date"), f"date: {day!r} is no day", hint))
    return found


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value).strip())
    except ValueError:
        return None


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(re.split(r"[,\s]+", value.strip())) if value.strip() else ()
    if isinstance(value, Sequence):
        return tuple(str(item).strip() for item in value)
    return ()
