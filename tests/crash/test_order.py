"""The disk has it before the reader is told: the order of the system calls of the web server, seen by strace.

A kill cannot show this, since the system still holds what a dead process has written; a power cut would.
"""

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from blog.db import Database
from blog.subscribers import shield, unsubscribe
from blog.tokens import Tokens
from tests.crash.pressing import hatching
from tests.journeys.installation import SECRET, Installation, fetch, free_port
from tests.subscribers.rows import subscriber

pytestmark = [pytest.mark.crash, pytest.mark.sqlite]

CALLS = "fsync,fdatasync,pwrite64,read,recvfrom,recvmsg,write,writev,sendto,sendmsg"
ASKED = re.compile(r'(?:read|recvfrom|recvmsg)\(.*"POST ')
TOLD = re.compile(r'(?:write|writev|sendto|sendmsg)\(.*"HTTP/1\.1 200 ')
WRITTEN = re.compile(r"pwrite64\(\d+<[^>]*-wal>,")
SYNCED = re.compile(r"(?:fsync|fdatasync)\(\d+<[^>]*-wal>\)")


@dataclass
class Form:
    """What a server has written into the log of the database for one form, and not yet put on the disk."""

    written: int = 0
    unsynced: int = 0


def whole(lines: list[str]) -> Iterator[str]:
    """Put together, at their end, calls that strace tells in two parts; an answer counts from its start."""
    begun: dict[str, str] = {}
    for line in lines:
        thread, call = line.split(maxsplit=1)
        if call.endswith("<unfinished ...>"):
            begun[thread] = call.removesuffix("<unfinished ...>").rstrip()
            if TOLD.search(call):
                yield call
        elif "resumed>" in call:
            yield begun.pop(thread, "") + call.partition("resumed>")[2]
        else:
            yield call


def answered(calls: Iterable[str]) -> list[Form]:
    """Return what was written, and still unsynced, when each form was answered."""
    found: list[Form] = []
    form: Form | None = None
    for call in calls:
        if ASKED.search(call):
            form = Form()
        elif form and WRITTEN.search(call):
            form.written += 1
            form.unsynced += 1
        elif form and SYNCED.search(call) and call.endswith("= 0"):
            form.unsynced = 0
        elif form and TOLD.search(call):
            found.append(form)
            form = None
    return found


def traced(database: Database, url: str, folder: Path, bug: tuple[str, ...] = ()) -> list[Form]:
    """Sign somebody up and off, by the page and by one click, under strace."""
    site = Installation(folder, url, smtp_port=1, port=free_port(), extra={"BLOG_TRUSTED_PROXIES": "1"})
    site.content.mkdir()
    log = folder / "calls"
    tokens = Tokens((SECRET.encode(),))
    strace = ("strace", "--follow-forks", "--seccomp-bpf", "-qq", "--decode-fds=path", "-s", "64")
    with hatching(
        site.environment, site.port, bug, (*strace, "-e", f"trace={CALLS}", "-o", str(log))
    ) as start:
        start()
        wait_for(site)
        assert site.post("/subscribe", email="ada@example.org", form=shield.form_token(tokens)).status == 200
        token = unsubscribe.token_for(tokens, subscriber(database).public_id)
        assert site.post(f"/unsubscribe/{token}", **{"List-Unsubscribe": "One-Click"}).status == 200
    return answered(whole(log.read_text(errors="replace").splitlines()))


def wait_for(site: Installation) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if fetch(f"{site.site}/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not answer in time")


@pytest.fixture(autouse=True)
def strace() -> None:
    """Without strace these tests are skipped, but never where CI is set."""
    if shutil.which("strace") is None:
        message = "no strace found: install the package `strace` to see the order of system calls"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


def test_the_disk_has_a_sign_up_and_a_departure_before_the_answer_is_sent(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sign_up, departure = traced(database, database_url, tmp_path)
    assert sign_up.written > 0
    assert departure.written > 0
    assert sign_up.unsynced == departure.unsynced == 0


def test_a_call_that_another_interrupts_is_put_together() -> None:
    told = [
        "1 recvfrom(5<socket:[1]>,  <unfinished ...>",
        "2 read(9</x>, ",
        '1 <... recvfrom resumed>"POST /s"',
    ]
    told += ["1 pwrite64(3</b.db-wal>, 1) = 1", "1 fdatasync(3</b.db-wal> <unfinished ...>", "2 read(9</x>, "]
    answer = '2 writev(5<socket:[1]>, "HTTP/1.1 200 OK" <unfinished ...>'
    assert answered(whole([*told, answer, "1 <... fdatasync resumed>) = 0"])) == [Form(1, 1)]
    assert answered(whole([*told, "1 <... fdatasync resumed>) = 0", answer])) == [Form(1, 0)]


def test_the_same_look_sees_a_server_that_does_not_wait_for_the_disk(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sign_up, departure = traced(database, database_url, tmp_path, ("careless",))
    assert sign_up.unsynced > 0
    assert departure.unsynced > 0
