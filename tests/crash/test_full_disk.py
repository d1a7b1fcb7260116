"""A disk that is full while an issue is sent: under the SQLite file, or under PostgreSQL and all it has."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from blog import migrate
from blog.db import Database
from tests.clusters import server
from tests.crash import figures
from tests.crash.test_faults import settle
from tests.crash.trials import Field, trial

pytestmark = pytest.mark.crash

SQLITE_SIZE, POSTGRESQL_SIZE = "5m", "160m"
READERS = 1000
#: A worker that has been told of a full disk tries again within a second.
STILL_SECONDS, PATIENCE_SECONDS = 1.5, 30.0


@dataclass(frozen=True)
class Home:
    """Where a database lives on a small disk, the file that fills it, and what has it go on afterwards."""

    url: str
    ballast: Path
    mend: Callable[[], None]


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """Mount a small disk at an empty folder; skip, with one line, where that is not allowed."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        message = "needs root to mount a small disk that can be filled"
        (pytest.fail if os.environ.get("CI") and os.geteuid() == 0 else pytest.skip)(message)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(file: Path) -> None:
    """Write until there is no room."""
    with file.open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            return


def wait_until_nothing_leaves(field: Field) -> None:
    """Wait as long as what is written still finds room; fail if everybody gets theirs all the same."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen, since = field.lines(), time.monotonic()
    while time.monotonic() < since + STILL_SECONDS:
        assert time.monotonic() < deadline, "it goes on and on"
        time.sleep(0.05)
        if field.lines() != seen:
            seen, since = field.lines(), time.monotonic()
    assert seen < READERS


@contextmanager
def sqlite(folder: Path, migrated: Path) -> Iterator[Home]:
    """Put a file with the schema on a small disk."""
    (folder / "disk").mkdir()
    with small_disk(folder / "disk", SQLITE_SIZE) as disk:
        shutil.copy(migrated, disk / "blog.db")
        yield Home(f"sqlite:///{disk / 'blog.db'}", disk / "ballast", lambda: None)


@contextmanager
def postgresql() -> Iterator[Home]:
    """Run a server all of whose files are on a small disk."""
    place = Path(tempfile.mkdtemp(prefix="blog-disk-"))
    try:
        with small_disk(place, POSTGRESQL_SIZE) as disk, server(folder=disk) as running:
            database = Database(running.url)
            migrate.upgrade(database)
            database.dispose()
            yield Home(running.url, disk / "ballast", running.start_again)
    finally:
        place.rmdir()


@pytest.fixture
def home(engine: str, migrated_sqlite: Path, tmp_path: Path) -> Iterator[Home]:
    with postgresql() if engine == "postgresql" else sqlite(tmp_path, migrated_sqlite) as there:
        yield there


@pytest.mark.parametrize("killed", [True] if figures.BRIEF else [True, False])
def test_on_a_full_disk_nothing_leaves_that_cannot_be_written_down(
    engine: str, home: Home, tmp_path: Path, killed: bool
) -> None:
    database = Database(home.url)
    with trial(database, home.url, tmp_path, connections=2, delay=0.004) as field:
        field.plan(READERS)
        worker = field.start()
        field.wait_for(10)
        fill(home.ballast)
        wait_until_nothing_leaves(field)
        if killed:
            worker.signal(signal.SIGKILL)
        home.ballast.unlink()
        home.mend()
        worker.hear()
        worker.end()
        settle(field, f"disk full, worker {'is killed' if killed else 'waits'}", engine)
        if not killed:
            assert field.audit().uncertain == 0
    database.dispose()
