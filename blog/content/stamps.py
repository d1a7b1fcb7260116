"""Stamps of files: equal ones mean that nothing was written in between."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Stamp(NamedTuple):
    """What changes when a file does."""

    path: str
    changed_ns: int
    size: int


def of(paths: Iterable[str]) -> tuple[Stamp, ...]:
    """Return the stamps of those files that there are."""
    found = []
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - a `Path` of each takes longer than asking for it
        except OSError:
            continue
        found.append(Stamp(path, status.st_mtime_ns, status.st_size))
    return tuple(found)


def files(folder: str) -> Iterator[str]:
    """Yield the files in a folder and those below, in order; `Path.rglob` takes longer."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                yield from files(entry.path)
            else:
                yield entry.path
