"""A real OpenSMTPD for tests, on a loopback port: a relay that knows no PIPELINING.

Its package and Postfix's exclude one another, so it is unpacked instead of installed. Its places and users
are built into it; a mount namespace gives it ones of its own, which nobody else sees and which end with it.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blog.settings import ROOT
from tests.smtp_server import free_port

UNPACKED = ROOT / "build" / "opensmtpd"
HOW = "apt-get download opensmtpd && dpkg -x opensmtpd_*.deb build/opensmtpd"
CONFIGURATION = """
listen on 127.0.0.1 port {port} hostname relay.example.org
action "onwards" relay host smtp://127.0.0.1:{onwards}
match from any for any action "onwards"
"""
START = """
set -e
mount --make-rprivate /
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/group /etc/group
mount -t tmpfs none /var/spool
mkdir -m 711 /var/spool/smtpd
mount -t tmpfs none /var/lib
mkdir -p /var/lib/opensmtpd/empty
mount -t tmpfs none /run
mount --bind {unpacked}/usr/libexec /usr/libexec
exec {unpacked}/usr/sbin/smtpd -d -f {folder}/smtpd.conf
"""


@contextmanager
def opensmtpd(onwards: int) -> Iterator[int]:
    """Run it until the block ends, passing all mail on to a port; yield its own. Skips without it."""
    if not (UNPACKED / "usr/sbin/smtpd").exists() or not _may_mount():
        message = f"needs root, mount namespaces, and the Debian package `opensmtpd` unpacked: {HOW}"
        (pytest.fail if os.environ.get("CI") and _may_mount() else pytest.skip)(message)
    folder, port = Path(tempfile.mkdtemp(prefix="blog-opensmtpd-")), free_port()
    for name, user in (("passwd", "{0}:x:{1}:{1}::/nowhere:/usr/sbin/nologin"), ("group", "{0}:x:{1}:")):
        theirs = [user.format("opensmtpd", 64990), user.format("opensmtpq", 64991)]
        (folder / name).write_text("\n".join([Path("/etc", name).read_text().rstrip(), *theirs, ""]))
    (folder / "smtpd.conf").write_text(CONFIGURATION.format(port=port, onwards=onwards))
    (folder / "start").write_text(START.format(folder=folder, unpacked=UNPACKED))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["unshare", "-m", "sh", str(folder / "start")], stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _may_mount() -> bool:
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    return os.geteuid() == 0 and tried.returncode == 0


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(100):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(log.read_text() or "opensmtpd does not answer")
