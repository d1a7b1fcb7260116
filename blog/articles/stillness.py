"""Whether anything can have changed since the last sync, told by the names and times of the files alone.

At 10,000 articles this asks the file system 10,000 times, and reads none of them. What it says is only
trusted while the database still holds what that sync left there.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from blog.content.keeping import SETTLED_NS, write_whole
from blog.content.renderer import renderer
from blog.content.values import Problem

FILE = "still.json"


@dataclass(frozen=True)
class Still:
    """What the last sync left: the version of what is published, how many articles, and every problem."""

    version: str
    articles: int
    problems: list[Problem]


def state(content_dir: Path) -> str | None:
    """Return what tells this state of a folder from every other; None while that cannot be told for sure."""
    try:
        files = sorted(_files(content_dir))
    except OSError:
        return None
    now = time.time_ns()
    if any(abs(now - changed_ns) < SETTLED_NS for *_, changed_ns in files):
        return None  # it may change again within one tick of its clock, and look the same
    return hashlib.sha256(f"{_code()} {content_dir.resolve()} {files}".encode()).hexdigest()


def recall(folder: Path | None, now: str | None) -> Still | None:
    """Return what the last sync left, if the content folder is in the state it was in then."""
    if folder is None or now is None:
        return None
    try:
        kept = json.loads((folder / FILE).read_bytes())
        if kept["state"] != now:
            return None
        return Still(kept["version"], kept["articles"], [Problem(**problem) for problem in kept["problems"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(folder: Path | None, now: str | None, still: Still) -> None:
    """Keep what a sync left; where that cannot be done, the next one reads everything, and that is all."""
    if folder is None or now is None:
        return
    write_whole(folder / FILE, json.dumps({"state": now, **asdict(still)}).encode())


def _files(folder: Path) -> Iterator[tuple[str, int, int, int, int, int, int]]:
    """Yield everything below a folder by its name; a folder that is only linked to is not looked into."""
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                status = entry.stat()
                if entry.is_dir():
                    if entry.is_symlink():
                        raise OSError("what lies behind a link to a folder is not known")
                    waiting.append(entry.path)
                same = (status.st_mode, status.st_size, status.st_ino, status.st_dev, status.st_mtime_ns)
                yield entry.path, *same, status.st_ctime_ns


@cache
def _code() -> str:
    """Return what tells this way of syncing from every other."""
    own = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(own + renderer().encode()).hexdigest()
