"""What one load leaves to the next, so that the next reads and renders only what has changed since.

All of it can be forgotten at any time. The part that is kept in a file is what takes long to find out again:
what the headers of the files say, and what is known of their renderings.
"""

import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blog.content.assemble import Assembled
from blog.content.keeping import write_whole
from blog.content.manuscripts import How, Reading
from blog.content.references import Shelf
from blog.content.renderer import renderer
from blog.content.renderings import Kept
from blog.content.values import Library, Problem

FILE = "files.kept"
#: All that such a file may name; a pickle could otherwise name anything that Python can do.
_VALUES = {
    ("blog.content.fields", "Fields"),
    ("blog.content.front_matter", "Header"),
    ("blog.content.manuscripts", "Manuscript"),
    ("blog.content.manuscripts", "Reading"),
    ("blog.content.markup", "Facts"),
    ("blog.content.renderings", "Kept"),
    ("blog.content.values", "Problem"),
    ("blog.content.walk", "Found"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("pathlib", "PurePosixPath"),
    ("zoneinfo", "ZoneInfo._unpickle"),
}


@dataclass(frozen=True)
class Addresses:
    """Which file has which address, and what was wrong with that: the same while all files stand so."""

    standings: list[tuple[object, ...]]
    shelf: Shelf
    problems: list[Problem]


@dataclass(frozen=True)
class Loaded:
    """The library of the last load, and how it came about; `summaries` are problems of many files in one."""

    library: Library
    how: How
    addresses: Addresses
    assembled: Mapping[str, Assembled]
    summaries: list[Problem]


@dataclass(frozen=True)
class Memory:
    """What one load found, by source; `last` is remembered only while the process lives."""

    readings: Mapping[str, Reading] = field(default_factory=dict)
    kept: Mapping[str, Kept] = field(default_factory=dict)
    last: Loaded | None = None


def recall(cache_dir: Path | None) -> Memory:
    """Return what an earlier load kept in a folder, if this code can use it."""
    if cache_dir is None:
        return Memory()
    try:
        whole = (cache_dir / FILE).read_bytes()
        data = whole.partition(b"\n")[2]
        if whole != checked(data):
            return Memory()
        readings, kept = _Values(io.BytesIO(data)).load()
        return Memory(readings, kept)
    except (OSError, ValueError, TypeError, AttributeError, EOFError, ImportError, pickle.UnpicklingError):
        return Memory()


def remember(cache_dir: Path | None, memory: Memory) -> None:
    """Keep the lasting part; where that cannot be done, the next load takes longer, and that is all."""
    if cache_dir is None:
        return
    data = pickle.dumps((memory.readings, memory.kept), pickle.HIGHEST_PROTOCOL)
    write_whole(cache_dir / FILE, checked(data))


def checked(data: bytes) -> bytes:
    """Return what is kept, behind the hash by which damage, and other code, are noticed."""
    return hashlib.sha256(renderer().encode() + data).hexdigest().encode() + b"\n" + data


class _Values(pickle.Unpickler):  # it makes nothing but the values named above
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _VALUES:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)
