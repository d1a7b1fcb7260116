"""strace, which counts a worker's system calls, and kills or refuses at the n-th of a kind."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.crash.trials import Field, Worker

#: Everything by which a sender changes the world or hears of it.
CALLS = (
    "pwrite64", "pread64", "fdatasync", "fsync", "ftruncate", "unlink", "openat", "close", "write", "fcntl",
    "flock", "socket", "connect", "sendto", "recvfrom", "poll",
)  # fmt: skip


def needs_strace() -> None:
    """Skip the test, with one line, on a machine without strace; never where CI is set."""
    if shutil.which("strace") is None:
        message = "needs the strace program to stop at system calls: install the package `strace`"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


@contextmanager
def traced(thread: int, log: Path, *options: str) -> Iterator[None]:
    """Trace a thread, and those it starts, until it ends or the block does."""
    command = ["strace", "-f", "-o", str(log), "-p", str(thread), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr
    try:
        said = process.stderr.readline()
        assert "attached" in said, f"strace cannot trace here: {said}"
        yield
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def run(field: Field, *options: str) -> tuple[int, Any]:
    """Run a worker that is traced; return how it ended and what it said."""
    worker: Worker = field.start(halt=True)
    with traced(worker.hear(), field.log.with_name("strace.log"), *options):
        worker.pipe.send("go")
        said = worker.hear()
        return worker.end(), said


def count(field: Field) -> Counter[str]:
    """Return how many calls of each kind are made for an issue."""
    run(field, "-e", f"trace={','.join(CALLS)}")
    log = field.log.with_name("strace.log").read_text()
    return Counter(re.findall(r"^\d+ +(\w+)\(", log, re.MULTILINE))


def killed_at(field: Field, call: str, number: int) -> bool:
    """Have a worker killed when it is about to make its n-th call of a kind; return whether it was.

    Each thread's calls count by themselves: for some of the last numbers there is none to be killed at.
    """
    code, _ = run(field, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
    return code != 0
