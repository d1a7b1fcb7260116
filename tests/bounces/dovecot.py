"""A real dovecot for tests: IMAP and POP3 on loopback ports, with and without TLS, one mailbox.

At its port `auth` a Postfix may ask whether a password is right.
"""

import mailbox
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.smtp_server import certificate, free_port

USER, PASSWORD = "bounces@example.org", "a-password"
CONFIGURATION = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap pop3
auth_failure_delay = 0 secs
first_valid_uid = 1
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server: its ports, and the maildir behind them."""

    ports: dict[str, int]
    folder: Path
    certificate: Path

    def address(self, scheme: str, host: str = "127.0.0.1") -> str:
        return f"{scheme}://bounces%40example.org@{host}:{self.ports[scheme]}"

    def deliver(self, *messages: bytes) -> None:
        """Put messages into the mailbox, in this order."""
        box = self._box()
        for number, message in enumerate(messages):
            path = self.folder / "new" / f"{time.time_ns()}.M{number}.test"
            path.write_bytes(message.replace(b"\r\n", b"\n"))
            self._own(path)
        box.close()

    def kept(self) -> list[bytes]:
        """Return the subjects of what is in the mailbox."""
        return sorted(str(message["Subject"]).encode() for message in self._box())

    def _box(self) -> mailbox.Maildir:
        box = mailbox.Maildir(self.folder, factory=None, create=True)
        # Nothing else in there: the server's own files come and go while one looks.
        for path in (self.folder, *(self.folder / name for name in ("cur", "new", "tmp"))):
            self._own(path)
        return box

    def _own(self, path: Path) -> None:
        mail = pwd.getpwnam("mail")
        os.chown(path, mail.pw_uid, mail.pw_gid)


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """Run dovecot until the block ends; skip the test, with one line, where there is none."""
    if shutil.which("dovecot") is None or os.geteuid() != 0:
        message = "needs root and the Debian packages `dovecot-imapd` and `dovecot-pop3d`"
        (pytest.fail if os.environ.get("CI") and os.geteuid() == 0 else pytest.skip)(message)
    folder, mail = Path(tempfile.mkdtemp(prefix="blog-dovecot-")), pwd.getpwnam("mail")
    folder.chmod(0o755)
    pem, _ = certificate(folder)
    ports = {name: free_port() for name in ("imap", "imaps", "pop3", "pop3s", "auth")}
    (folder / "dovecot.conf").write_text(
        CONFIGURATION.format(folder=folder, password=PASSWORD, uid=mail.pw_uid, gid=mail.pw_gid, **ports)
    )
    command = ["dovecot", "-F", "-c", str(folder / "dovecot.conf")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        for port in ports.values():
            _wait(port, process)
        yield Dovecot(ports, folder / "mail", pem)
    finally:
        process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise RuntimeError((process.stderr.read() if process.stderr else b"").decode())
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("dovecot does not answer")
