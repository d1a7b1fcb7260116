"""Noticing that a file of a folder has changed: told by the system, or by looking, which nothing escapes."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch

#: An editor writes a file in several steps; so long after the last one it is taken to be complete.
SETTLE_MS, MOST_SETTLE_MS = 10, 200
QUIET_MS = 250
#: Looking takes at most this share of one processor.
SHARE = 0.1

State = dict[str, tuple[int, int]]


def state_of(folder: Path) -> State:
    """Return the time and size of every file below a folder."""
    state: State = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - a Path for each doubles the time
            try:
                status = os.stat(path)  # noqa: PTH116
            except OSError:
                continue  # gone between listing and looking
            state[path] = (status.st_mtime_ns, status.st_size)
    return state


def changes(folder: Path, stop: threading.Event, seen: State) -> Iterator[set[str]]:
    """Yield the files that have changed, by path, or none when it is quiet for a while, until told to stop.

    `seen` is what was there at the start. File systems of other machines tell nothing, so it also looks by
    itself, every now and then.
    """
    next_look = 0.0
    for told in _told(folder, stop):
        if not told and time.monotonic() >= next_look:
            began = time.monotonic()
            current = state_of(folder)
            told, seen = {path for path, _ in current.items() ^ seen.items()}, current
            next_look = time.monotonic() + (time.monotonic() - began) / SHARE
        yield told


def _told(folder: Path, stop: threading.Event) -> Iterator[set[str]]:
    """Yield what the system tells of, or nothing when some time has passed."""
    try:
        for found in watch(
            folder,
            watch_filter=None,
            step=SETTLE_MS,
            debounce=MOST_SETTLE_MS,
            rust_timeout=QUIET_MS,
            yield_on_timeout=True,
            stop_event=stop,
            raise_interrupt=False,
        ):
            yield {path for _, path in found}
    except OSError:  # no more watches to be had here
        while not stop.wait(QUIET_MS / 1000):
            yield set()
