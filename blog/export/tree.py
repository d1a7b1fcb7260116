"""The files of an export: their names, their writing beside the old ones, and the swap at the end."""

import ctypes
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog.content import stamps
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


@dataclass(frozen=True)
class Former:
    """An earlier export, and when it was done: what has been written to since is not its own any more."""

    root: Path
    done_ns: int

    def take_over(self, root: Path, name: str, content_type: str, body: bytes | None = None) -> bytes | None:
        """Link a file and its prepared copies; return what it holds, or None if it has to be written anew.

        With a `body` it must hold that. A file that is taken over is neither prepared nor written: it keeps
        its time, and with it the tag that a web server gives.
        """
        held = self._read(name)
        if held is None or (body is not None and held != body):
            return None
        endings = tuple(ENDINGS.values()) if codings.is_worth_it(held, content_type) else ("",)
        return held if self._is_its_own(name, endings) and _link(self.root, root, name, endings) else None

    def _read(self, name: str) -> bytes | None:
        # Names are joined as text: see `_put`.
        try:
            with open(f"{self.root}/{name}", "rb") as file:  # noqa: PTH123
                return file.read()
        except OSError:
            return None

    def _is_its_own(self, name: str, endings: Iterable[str]) -> bool:
        found = stamps.of(f"{self.root}/{name}{ending}" for ending in endings)
        return all(stamp.changed_ns <= self.done_ns for stamp in found)


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


def _link(source: Path, target: Path, name: str, endings: Iterable[str]) -> bool:
    try:
        for ending in endings:
            _link_one(f"{source}/{name}{ending}", f"{target}/{name}{ending}")
    except OSError:
        return False
    return True


def _link_one(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        Path(target).unlink()
        os.link(source, target)
    except FileNotFoundError:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)


@contextmanager
def alone(folder: Path, waits: Callable[[], None]) -> Iterator[None]:
    """Keep other exports into this folder, and those beside it, waiting; `waits` is called if we have to.

    Two at once would write into the same folder, and the first to be done would publish half of it. The lock
    is the parent's own: nothing is left behind, and it goes with the process.
    """
    _make(folder, folder.parent)
    try:
        descriptor = os.open(folder.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{folder.parent} cannot be read ({error.strerror}); name another folder") from None
    try:
        _lock(descriptor, waits)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, waits: Callable[[], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waits()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        pass  # some file systems of a network have no locks


def _make(folder: Path, wanted: Path) -> None:
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "name a folder in one that you may write to"
        raise UsageError(f"{folder} cannot be written ({error.strerror}); {hint}") from None


def beside(folder: Path) -> Path:
    """Return where the files are written that will take the place of `folder`."""
    return folder.with_name(f".{folder.name}.part")


def begin(folder: Path) -> None:
    """Make the folder beside `folder`, empty."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is not a folder; name one that an export may replace")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise UsageError(f"{folder} holds files that no export has written; name an empty or a new folder")
    shutil.rmtree(beside(folder), ignore_errors=True)
    _make(folder, beside(folder))


def swap(folder: Path) -> None:
    """Put the new files where the old ones are, in one step: a reader sees either export, never a mixture."""
    new = beside(folder)
    if not folder.exists():
        new.rename(folder)
        return
    if not _exchange(new, folder):
        old = folder.with_name(f".{folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        new.rename(folder)
        new = old
    shutil.rmtree(new, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders by Linux's renameat2; False where there is no such call."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done: int = call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0


def size_of(folder: Path) -> list[int]:
    """Return how many files a folder holds beside the manifest, their bytes, and the latest time of one."""
    found = [one for one in stamps.of(stamps.files(str(folder))) if not one.path.endswith(f"/{MANIFEST}")]
    return [len(found), sum(one.size for one in found), max((one.changed_ns for one in found), default=0)]


def manifest(folder: Path) -> dict[str, Any]:
    """Return what an export has noted about itself; nothing when there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def former(folder: Path) -> Former:
    """Return the export in a folder; where there is none, nothing of it is its own."""
    try:
        return Former(folder, (folder / MANIFEST).stat().st_mtime_ns)
    except OSError:
        return Former(folder, 0)
