"""Noticing that a file of a folder has changed: by looking, which no file system can make us miss."""

import os
from pathlib import Path

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
