"""Files that can be made again at any time, kept so that they seldom are.

A file's name says what went into it, so a kept one is never stale; the folder may be emptied at any moment.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

#: What making a file gives: its bytes, or for some None, when it cannot be made.
Body = TypeVar("Body", bytes, bytes | None)


def kept(path: Path, most: int, make: Callable[[], Body]) -> Body:
    """Return the file at `path`, making it when it is missing; its folder holds at most `most` bytes."""
    try:
        return path.read_bytes()
    except OSError:
        body = make()
    if body is None:
        return body
    try:
        _write(path, body)
        _trim(path.parent, most)
    except OSError:
        pass  # a full or read-only disk costs time at the next request, and nobody the picture
    return body


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may make the same file at once; both put the same bytes there, each in one step.
    beside = path.with_name(f"{uuid4().hex}.part")
    try:
        beside.write_bytes(body)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _trim(folder: Path, most: int) -> None:
    """Remove the oldest files of a folder until it is small enough."""
    with os.scandir(folder) as entries:
        found = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in entries)
    total = sum(size for _, size, _ in found)
    for _, size, path in found:
        if total <= most:
            return
        Path(path).unlink(missing_ok=True)
        total -= size
