"""A real `blog preview` in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from blog.settings import ROOT


@contextmanager
def previewed(folder: Path, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run the command inside a content folder; give the address of its site."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "blog.cli", "preview", *arguments, "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BLOG_VAR_DIR": str(folder.parent / "real-var")}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    site = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: fetch(f"{site}/healthz")[0] == 200, 30)
        yield site, process
    finally:
        process.kill()
        process.communicate()


def fetch(address: str) -> tuple[int, str]:
    """Return the status and text at an address; status 0 where nobody listens."""
    try:
        with urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def wait_for(condition: object, seconds: float = 10) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def end(process: "subprocess.Popen[str]") -> str:
    """Press Ctrl-C; return what was printed, without colours."""
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    return re.sub(r"\x1b\[[0-9;]*m", "", output)
