"""The files of an export: their names, their writing beside the old ones, and the swap at the end."""

import ctypes
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from blog.errors import UsageError
from blog.export.fetch import Fetched
from blog.web import codings

ENDINGS = {codings.IDENTITY: "", codings.BROTLI: ".br", codings.GZIP: ".gz"}
#: What the web server is told, and what the next export wants to know; hidden from readers by the dot.
SERVER = ".server"
MANIFEST = f"{SERVER}/manifest.json"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def name_of(path: str, content_type: str) -> str | None:
    """Return the file that holds the page at `path`; None when no file of that name may be written."""
    name = path.strip("/")
    if any(part.startswith(".") or not part for part in name.split("/")) and name:
        return None
    if content_type.startswith("text/html"):
        name = "index.html" if not name else name if name.endswith(".html") else f"{name}.html"
    return name or None


def take_over(root: Path, former: Path, name: str, fetched: Fetched) -> bool:
    """Link a page that is the same as in the `former` export; return whether it is.

    It is neither prepared nor written: it keeps its time, and with it the tag that a web server gives.
    """
    endings = ENDINGS.values() if codings.is_worth_it(fetched.body, fetched.content_type) else ("",)
    return _has(f"{former}/{name}", fetched.body) and link(root, former, name, endings)


def write(root: Path, name: str, fetched: Fetched) -> None:
    """Write a page and its prepared copies."""
    for coding, data in codings.prepared(fetched.body, fetched.content_type).items():
        _put(f"{root}/{name}{ENDINGS[coding]}", data)


def _put(path: str, data: bytes) -> None:
    # Names are joined as text: as `Path` objects they take longer than what the system does with them.
    try:
        file = open(path, "wb")  # noqa: PTH123, SIM115 - see above; closed below
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "wb")  # noqa: PTH123, SIM115
    with file:
        file.write(data)


def link(root: Path, former: Path, name: str, endings: Iterable[str]) -> bool:
    """Take a file and its copies over from the former export; return whether all were there."""
    try:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        for ending in endings:
            target = root / f"{name}{ending}"
            target.unlink(missing_ok=True)
            os.link(former / f"{name}{ending}", target)
    except OSError:
        return False
    return True


def _has(path: str, body: bytes) -> bool:
    try:
        return os.stat(path).st_size == len(body) and Path(path).read_bytes() == body  # noqa: PTH116
    except OSError:
        return False


def begin(folder: Path) -> Path:
    """Return an empty folder beside `folder`, to be written and then to take its place."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is not a folder; name one that an export may replace")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise UsageError(f"{folder} holds files that no export has written; name an empty or a new folder")
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
    except OSError as error:
        hint = "name a folder in one that you may write to"
        raise UsageError(f"{folder} cannot be written ({error.strerror}); {hint}") from None
    return beside


def swap(beside: Path, folder: Path) -> None:
    """Put the new files where the old ones are, in one step: a reader sees either export, never a mixture."""
    if not folder.exists():
        beside.rename(folder)
        return
    if not _exchange(beside, folder):
        old = folder.with_name(f".{folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        beside.rename(folder)
        beside = old
    shutil.rmtree(beside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders by Linux's renameat2; False where there is no such call."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done: int = call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0


def manifest(folder: Path) -> dict[str, Any]:
    """Return what an export has noted about itself; nothing when there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
