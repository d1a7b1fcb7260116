"""A real installation for journeys: the commands as processes, the site over HTTP, the mail over SMTP."""

import email
import email.policy
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.journeys import forking
from tests.relay import Message

SECRET = "a-secret-for-journeys-only-0123456789abcdef"


@dataclass
class Answer:
    """An HTTP answer, whatever its status."""

    status: int
    body: str
    headers: dict[str, str]
    url: str


@dataclass
class Installation:
    """One site of its own: a database, a content folder, settings."""

    folder: Path
    database_url: str
    smtp_port: int
    port: int
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> Path:
        return self.folder / "content"

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "BLOG_DATABASE_URL": self.database_url,
            "BLOG_VAR_DIR": str(self.folder / "var"),
            "BLOG_CONTENT_DIR": str(self.content),
            "BLOG_SITE_URL": self.site,
            "BLOG_SECRET_KEY": SECRET,
            "BLOG_POSTAL_ADDRESS": "Example Ltd, 1 High Street, Exampletown",
            "BLOG_MAIL_SERVER": "127.0.0.1",
            "BLOG_MAIL_PORT": str(self.smtp_port),
            "BLOG_MAIL_DEFAULT_SENDER": "Signal & System <news@example.org>",
            **self.extra,
        }

    def blog(self, *arguments: str, expect: int = 0) -> str:
        """Run a command; return what it printed (and what it complained about, if it was to fail)."""
        done = forking.run(arguments, self.environment)
        assert done.code == expect, (arguments, done)
        assert "Traceback" not in done.complained, done.complained
        assert "@example.org" not in done.complained, "an address in the log"
        return done.said if expect == 0 else done.complained

    def blog_json(self, *arguments: str) -> Any:
        return json.loads(self.blog(*arguments, "--json"))

    def write(self, name: str, body: str = "Some *words*.", **front: Any) -> Path:
        """Drop an article into the content folder."""
        path = self.content / "articles" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{key}: {json.dumps(value, default=str)}" for key, value in front.items()]
        path.write_text("---\n" + "\n".join(lines) + f"\n---\n\n{body}\n")
        return path

    def get(self, address: str) -> Answer:
        return fetch(address if "://" in address else self.site + address)

    def post(self, address: str, **fields: Any) -> Answer:
        data = urllib.parse.urlencode(fields, doseq=True).encode()
        return fetch(address if "://" in address else self.site + address, data)

    @contextmanager
    def serving(self, workers: int = 1) -> Iterator[None]:
        """Serve the site until the block ends."""
        log = self.folder / f"serve-{self.port}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "blog.cli", "serve", "--port", str(self.port),
                 "--workers", str(workers)],
                env=self.environment, start_new_session=True, stdout=stream, stderr=stream,
            )  # fmt: skip
        try:
            self._wait_until_up(process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
        said = log.read_text()
        assert "Traceback" not in said, said
        assert "@" not in said, "an address in the log"

    def _wait_until_up(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert process.poll() is None, "the server ended while starting"
            try:
                if self.get("/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server did not answer in time")


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A mail client follows no redirect, and neither do these tests."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


OPENER = urllib.request.build_opener(NoRedirects)


def fetch(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """Ask for an address and return the answer, error statuses included."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with OPENER.open(request, timeout=20) as response:
            return Answer(response.status, response.read().decode(), dict(response.headers), url)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), dict(error.headers), url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read(message: Message) -> EmailMessage:
    """Parse a mail as a mail program would."""
    return email.message_from_bytes(message.raw, policy=email.policy.default)


def text_of(message: Message, kind: str = "plain") -> str:
    part = read(message).get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link_in(message: Message, path: str) -> str:
    """Return the address under `path` that the text part holds."""
    found = re.search(rf"https?://[^\s>]+{path}[^\s>]+", text_of(message))
    assert found, text_of(message)
    return found[0]
