"""Make a backup, prove that it can be restored, and restore it."""

import fcntl
import os
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import inspect

from blog import revisions
from blog.backup import archive, postgresql, sqlite
from blog.backup.archive import DATA, Damaged, Manifest, Unpacked
from blog.db import Database
from blog.delivery import witness
from blog.errors import BlogError, UsageError
from blog.settings import Settings

SQLITE, POSTGRESQL = "sqlite", "postgresql"


def make(settings: Settings, database: Database, target: Path, now: datetime) -> Manifest:
    """Write a backup of the database, and of the secret if we made it ourselves, while all goes on."""
    with TemporaryDirectory(prefix="blog-backup-") as folder:
        data = Path(folder, DATA)
        if database.is_sqlite:
            revision, rows = sqlite.copy(Path(database.url.database or ""), data)
        else:
            revision, rows = postgresql.dump(database.url, data)
        kind = SQLITE if database.is_sqlite else POSTGRESQL
        manifest = Manifest(f"{now:%Y-%m-%dT%H:%M:%SZ}", kind, revision, rows, archive.digest(data))
        own = settings.var_dir / "secret.key"
        secret = own if own.is_file() and not settings.secret_key.get_secret_value() else None
        try:
            archive.write(target, manifest, data, secret)
        except OSError as error:
            raise BlogError(f"{target} cannot be written: {error.strerror}") from None
    return manifest


def verify(path: Path, database: Database) -> Manifest:
    """Restore a backup where nobody sees it, and compare; raise `Damaged` if anything is not as it was."""
    with archive.opened(path) as unpacked:
        _prove(unpacked, database)
        return unpacked.manifest


def restore(settings: Settings, database: Database, path: Path, replace: bool, now: datetime) -> Manifest:
    """Prove a backup, then put it in the place of the database; nothing is sent until somebody says so.

    It is only put in another's place when told to, and that one is kept: as a file beside it (SQLite), or as
    a schema of its own (PostgreSQL).
    """
    with archive.opened(path) as unpacked:
        _prove(unpacked, database)
        there = _has_tables(database)
        if there and not replace:
            raise UsageError("there is a database already; to put the backup in its place add --replace")
        refuse_workers(settings.var_dir / "slots")
        _mark(settings.var_dir / "slots")
        database.dispose()
        if database.is_sqlite:
            target = Path(database.url.database or "")
            sqlite.put_back(
                unpacked.data, target, target.with_name(f"{target.name}.before-{now:%Y%m%dT%H%M%S}")
            )
        elif there:
            postgresql.put_back(unpacked.data, database.url, f"before_{now:%Y%m%dt%H%M%S}")
        else:
            postgresql.restore(unpacked.data, database.url)
        _put_secret_back(settings.var_dir, unpacked.secret)
        return unpacked.manifest


def _prove(unpacked: Unpacked, database: Database) -> None:
    manifest = unpacked.manifest
    kind = SQLITE if database.is_sqlite else POSTGRESQL
    if manifest.kind != kind:
        raise UsageError(f"the backup is of {manifest.kind}, and BLOG_DATABASE_URL names {kind}")
    if manifest.revision > revisions.head():
        raise UsageError(f"the backup is at revision {manifest.revision}, newer than this version of blog")
    found = (
        sqlite.examine(unpacked.data)
        if database.is_sqlite
        else postgresql.rehearse(unpacked.data, database.url)
    )
    if found != (manifest.revision, manifest.rows):
        raise Damaged("the backup does not hold the rows that were written")


def _has_tables(database: Database) -> bool:
    with database.reading() as session:
        return inspect(session.connection()).has_table("alembic_version")


def refuse_workers(slots: Path) -> None:
    """Raise `BlogError` while a worker of this host works with the database."""
    for lock in slots.glob("*.lock"):
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlogError("a worker is running; stop it, and the web server, first") from None
        finally:
            os.close(descriptor)


def _mark(slots: Path) -> None:
    """Leave a note that no database knows of, so that workers wait for `blog worker --after-restore`."""
    slots.mkdir(parents=True, exist_ok=True)
    (slots / f"restored{witness.SUFFIX}").write_text("0".zfill(20))


def _put_secret_back(var_dir: Path, secret: bytes | None) -> None:
    path = var_dir / "secret.key"
    if secret is None or path.exists():
        return
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
