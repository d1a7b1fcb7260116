"""A real Postfix for tests: an instance of its own in its own folder, on loopback ports, never the machine's.

Its queue, its logs and its configuration live and die with the block; the service of the machine, if there is
one, is not touched.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.smtp_server import free_port

PROGRAM = shutil.which("postfix", path=f"{os.environ['PATH']}:/usr/sbin") or ""
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {name}
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
biff = no
append_dot_mydomain = no
recipient_delimiter = +
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtp_host_lookup = native
minimal_backoff_time = 2s
maximal_backoff_time = 2s
queue_run_delay = 2s
smtpd_error_sleep_time = 0
in_flow_delay = 0
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running instance: its port, and what it has written down."""

    port: int
    folder: Path

    def log(self) -> str:
        """Return its log."""
        return (self.folder / "log").read_text()


@contextmanager
def postfix(name: str, **options: str) -> Iterator[Postfix]:
    """Run Postfix until the block ends; skip the test, with one line, where there is none."""
    if not PROGRAM or os.geteuid() != 0:
        message = "needs root and the Debian package `postfix`"
        (pytest.fail if os.environ.get("CI") and os.geteuid() == 0 else pytest.skip)(message)
    folder, port = Path(tempfile.mkdtemp(prefix="blog-postfix-")), free_port()
    folder.chmod(0o755)
    _configure(folder, port, name, options)
    process = subprocess.Popen(
        [PROGRAM, "-c", str(folder / "conf"), "start-fg"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, process, folder)
        yield Postfix(port, folder)
    finally:
        subprocess.run([PROGRAM, "-c", str(folder / "conf"), "abort"], capture_output=True)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path, port: int, name: str, options: Mapping[str, str]) -> None:
    for made in ("conf", "queue", "data"):
        (folder / made).mkdir()
    owner = pwd.getpwnam("postfix")
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    lines = [f"{key} = {value}" for key, value in options.items()]
    (folder / "conf" / "main.cf").write_text(MAIN.format(folder=folder, name=name) + "\n".join(lines) + "\n")
    (folder / "conf" / "master.cf").write_text(MASTER.format(port=port))


def _wait(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(3) == b"220":
                    return
        except OSError:
            time.sleep(0.05)
    log = folder / "log"
    raise RuntimeError(log.read_text() if log.exists() else "postfix does not answer, and has written no log")
