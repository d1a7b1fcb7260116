"""What puts a site under load, and what is seen of it: floods by `wrk`, a writer beside, commands."""

import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

from blog.db import Database
from blog.subscribers import shield
from blog.tokens import Tokens
from tests.journeys.installation import SECRET, Installation

HOST = "news.example.org"
#: What has a site believe the networks that a flood says it comes from.
OPEN = {"BLOG_SITE_URL": f"https://{HOST}", "BLOG_TRUSTED_PROXIES": "1"}
#: Every sign-up comes from a network of its own with a genuine form, so that all of its work is done.
SIGN_UPS = """
local n = FIRST
request = function()
  n = n + 1
  local network = string.format("%d.%d.%d.7", 11 + math.floor(n / 62500), math.floor(n / 250) % 250, n % 250)
  local headers = {
    ["Content-Type"] = "application/x-www-form-urlencoded",
    ["Host"] = "HOST",
    ["X-Forwarded-For"] = network,
  }
  local body = "email=newcomer" .. n .. "%40mail" .. (n % 997) .. ".example.org&form=FORM"
  return wrk.format("POST", "/subscribe", headers, body)
end
"""
#: One in ten asks for the front page, one for a topic, the others for an article each, all of them in turn.
PAGES = """
local n = 0
request = function()
  n = n + 1
  local path = "/articles/article-" .. (n * 7919 % MANY)
  if n % 10 == 0 then path = "/" elseif n % 10 == 1 then path = "/topics/topic-0" .. (n % 9) end
  return wrk.format("GET", path, {["Host"] = "HOST", ["Accept-Encoding"] = "br"})
end
"""


@dataclass(frozen=True)
class Seen:
    """What a flood saw: answers, how fast, how late the slowest but one in a hundred, and refusals."""

    answers: int
    per_second: float
    p99_ms: float
    refused: int
    broken: bool


def sign_ups(folder: Path, first: int) -> Path:
    """Write what a flood of sign-ups does, from a number on; its forms count as genuine a moment later."""
    token = shield.form_token(Tokens((SECRET.encode(),)))
    return _script(folder / "sign-ups.lua", SIGN_UPS, FORM=token, FIRST=str(first))


def pages(folder: Path, articles: int) -> Path:
    """Write what a flood of readers does."""
    return _script(folder / "pages.lua", PAGES, MANY=str(articles))


def _script(path: Path, lines: str, **values: str) -> Path:
    for name, value in {**values, "HOST": HOST}.items():
        lines = lines.replace(name, value)
    path.write_text(lines)
    return path


def flood(port: int, script: Path, seconds: int, connections: int) -> Seen:
    """Ask as fast as a few connections can, one question at a time each."""
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), f"http://127.0.0.1:{port}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found, tail = re.search(r"(\d+) requests in", said), re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert found, said
    assert tail, said
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    p99 = float(tail[1]) * {"us": 0.001, "ms": 1, "s": 1000}[tail[2]]
    answers = int(found[1])
    return Seen(answers, answers / seconds, p99, int(refused[1]) if refused else 0, "Socket errors" in said)


class Ran(NamedTuple):
    """What a command took: seconds, the megabytes it had at most, and processor seconds."""

    seconds: float
    megabytes: float
    processor: float


def command(site: Installation, *arguments: str) -> Ran:
    """Run a command of the product."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "blog.cli", *arguments], env=site.environment, stdout=subprocess.DEVNULL
    ) as process:
        ended, most = 0, 0.0
        while not ended:
            # What the system says of a child that has ended counts what its parent was when it began.
            most = max(most, _most_mb(process.pid))
            time.sleep(0.02)
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"blog {' '.join(arguments)} ended with {process.returncode}")
    return Ran(time.perf_counter() - started, most, used.ru_utime + used.ru_stime)


def _most_mb(process: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _write_beside(url: str, done: Event, told: Any) -> None:
    """Store a row every ten milliseconds; tell how long each took."""
    database, waits = Database(url), []
    number = 0
    while not done.is_set():
        started = time.perf_counter()
        with database.transaction() as session:
            number += 1
            session.execute(
                text("INSERT INTO signup_counts (key, span, tries) VALUES (:key, :span, 1)"),
                {"key": f"bench {os.getpid()} {number}", "span": "2020-01-01 00:00:00"},
            )
        waits.append(time.perf_counter() - started)
        time.sleep(0.01)
    database.dispose()
    told.put(waits)


@contextmanager
def writers_beside(url: str) -> Iterator[list[float]]:
    """Have somebody write until the block ends; the list then holds how long each write took."""
    context = multiprocessing.get_context("spawn")
    done, told, waits = context.Event(), context.Queue(), []  # type: ignore[var-annotated]
    process = context.Process(target=_write_beside, args=(url, done, told))
    process.start()
    yield waits
    done.set()
    waits += told.get()
    process.join()
