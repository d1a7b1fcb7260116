"""An SMTP server that we have not written (aiosmtpd), to see what really goes over the wire."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.captured import CAPTURED


@dataclass
class Taken:
    """One message as the server took it."""

    sender: str
    recipients: list[str]
    options: list[str]
    raw: bytes
    hello: str


@dataclass
class Server:
    """A running server, what it has taken, and the replies it gives to some recipients."""

    port: int
    taken: list[Taken] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        refusal = self.refusals.get(address)
        if refusal and refusal.startswith("rcpt "):
            return refusal.removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        refusal = self.refusals.get(envelope.rcpt_tos[0])
        if refusal:
            return refusal.removeprefix("dot ")
        CAPTURED.append(envelope.original_content)
        self.taken.append(
            Taken(
                envelope.mail_from,
                envelope.rcpt_tos,
                envelope.mail_options,
                envelope.original_content,
                session.host_name,
            )
        )
        return "250 2.0.0 queued"


@contextmanager
def smtp_server(port: int = 0, **options: Any) -> Iterator[Server]:
    """Run a server on a loopback port until the block ends."""
    server = Server(port or free_port())
    controller = Controller(server, "127.0.0.1", server.port, enable_SMTPUTF8=True, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a self-signed certificate for 127.0.0.1; return its file and a server's context that shows it.

    Skips the test, with one line, on a machine without the openssl program; never where CI is set.
    """
    if shutil.which("openssl") is None:
        message = "needs the openssl program to make a certificate: install the package `openssl`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
