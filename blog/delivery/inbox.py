"""The development inbox: an SMTP server on this machine that keeps what it gets and sends nothing on."""

import email
import email.policy
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from blog.errors import UsageError

KEPT = 500


@dataclass(frozen=True)
class Received:
    """A message in the inbox."""

    id: str
    raw: bytes

    @property
    def size(self) -> int:
        """Octets on the wire."""
        return len(self.raw)

    @property
    def parsed(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def to(self) -> str:
        return str(self.parsed.get("To", ""))

    @property
    def subject(self) -> str:
        return str(self.parsed.get("Subject", ""))

    @property
    def date(self) -> Any:
        """When it was sent, by its own header."""
        return parsedate_to_datetime(str(self.parsed["Date"])) if self.parsed["Date"] else None

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.parsed.items()]

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def has_html(self) -> bool:
        return bool(self.html)

    def _part(self, kind: str) -> str:
        part = self.parsed.get_body((kind,))
        return str(part.get_content()) if part else ""


def messages(folder: Path) -> list[Received]:
    """Return the newest messages, newest first."""
    paths = sorted(folder.glob("*.eml"), reverse=True)[:KEPT]
    return [Received(path.stem, path.read_bytes()) for path in paths]


def message(folder: Path, message_id: str) -> Received | None:
    """Return one message, or None."""
    path = folder / f"{message_id}.eml"
    return Received(message_id, path.read_bytes()) if message_id.isdigit() and path.is_file() else None


class _Keep:
    """What the server does with a message: writes it under a name that sorts by arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        name = f"{time.time_ns():020d}"
        temporary = self._folder / f"{name}.tmp"
        temporary.write_bytes(envelope.original_content)
        temporary.rename(self._folder / f"{name}.eml")
        return "250 2.0.0 kept"


@contextmanager
def inbox_server(port: int) -> Iterator[tuple[int, Path]]:
    """Run the inbox on a loopback port (0: any free one); yield the port and the folder of messages."""
    from aiosmtpd.controller import Controller  # here, since every web process lists the demo's pages

    folder = Path(mkdtemp(prefix="blog-inbox-"))
    port = port or _free_port()
    controller = Controller(_Keep(folder), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    try:
        controller.start()
    except OSError as error:
        raise UsageError(f"port {port} cannot be used for the inbox ({error.strerror})") from None
    try:
        yield port, folder
    finally:
        controller.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    # The server cannot be asked for "any port": it first calls itself at the one it was given.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
