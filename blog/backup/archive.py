"""The file of a backup: the database as one file, the secret if we made it, and what must be in them."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from blog.errors import BlogError

MANIFEST, DATA, SECRET = "manifest.json", "database", "secret.key"
FORM = 1
LARGEST_MANIFEST = 1024 * 1024


class Damaged(BlogError):
    """The backup cannot be relied on; the message says why."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: the kind of database, its schema, and how many rows each table has."""

    made_at: str
    kind: str
    revision: str
    rows: dict[str, int]
    sha256: str
    form: int = FORM

    @property
    def total(self) -> int:
        """How many rows there are in all."""
        return sum(self.rows.values())


@dataclass(frozen=True)
class Unpacked:
    """A backup laid out in a folder of its own, its bytes proven to be those that were written."""

    manifest: Manifest
    data: Path
    secret: bytes | None


def write(target: Path, manifest: Manifest, data: Path, secret: Path | None) -> None:
    """Write a backup whole or not at all, readable by its owner alone."""
    temporary = target.with_name(f".{target.name}.part")
    descriptor = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                said = json.dumps(asdict(manifest), indent=2).encode()
                item = tarfile.TarInfo(MANIFEST)
                item.size = len(said)
                tar.addfile(item, io.BytesIO(said))
                tar.add(data, DATA, filter=_anonymous)
                if secret:
                    tar.add(secret, SECRET, filter=_anonymous)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Unpacked]:
    """Lay a backup out until the block ends; raise `Damaged` for one that is not what was written."""
    with TemporaryDirectory(prefix="blog-backup-") as folder:
        try:
            with tarfile.open(path) as tar:
                manifest = _manifest(tar)
                data = Path(folder, DATA)
                _copy(tar, data)
                secret = tar.extractfile(SECRET) if SECRET in tar.getnames() else None
                unpacked = Unpacked(manifest, data, secret.read(4096) if secret else None)
        except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
            raise Damaged(f"{path} is no backup that can be read ({type(error).__name__})") from None
        if digest(data) != manifest.sha256:
            raise Damaged(f"{path} is damaged: its database is not the one that was written")
        yield unpacked


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(tar: tarfile.TarFile) -> Manifest:
    file = tar.extractfile(MANIFEST)
    found = json.loads(file.read(LARGEST_MANIFEST)) if file else {}
    if found.get("form") != FORM:
        raise ValueError("another form of backup")
    return Manifest(**found)


def _copy(tar: tarfile.TarFile, target: Path) -> None:
    source = tar.extractfile(DATA)
    if source is None:
        raise ValueError("no database in it")
    with source, target.open("wb") as file:
        while block := source.read(1024 * 1024):
            file.write(block)


def _anonymous(item: tarfile.TarInfo) -> tarfile.TarInfo:
    item.uid = item.gid = 0
    item.uname = item.gname = ""
    item.mode = 0o600
    return item
