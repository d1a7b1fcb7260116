"""A worker to be killed: the product's own, started in a moment by forking a process that has it loaded."""

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from sqlalchemy import select

import blog
from blog import clock, runtime
from blog.db import Database
from blog.delivery import balance
from blog.delivery.models import Mailing
from blog.delivery.slots import slot
from blog.delivery.states import Balance
from blog.settings import load_settings
from blog.worker import embedded, tasks
from tests.crash.seeded_bugs import BUGS

PACKAGE = str(Path(blog.__file__).parent)


@dataclass(frozen=True)
class Job:
    """What a worker is to do, and what is to happen to it on the way."""

    url: str
    folder: Path
    port: int
    policy: str = "hold"
    connections: int = 1
    bug: str = ""
    #: Die at this line of the product's own code; 0: only count them.
    line: int | None = None
    #: Whether it waits for a word before it begins, so that it can be traced from its start.
    halt: bool = False
    patience: int = 8


def do(job: Job, parent: Connection) -> None:
    """Work as `blog worker --until-idle` does; tell the parent the token, and at the end how things stand."""
    _quietly(job.folder)
    if job.bug:
        BUGS[job.bug][0]()
    _follow_the_wall_clock(job.folder / "clock")
    content = job.folder / "content"
    content.mkdir(exist_ok=True)
    services = runtime.build(load_settings(
        database_url=job.url, var_dir=job.folder / "var", content_dir=content, mail_port=job.port,
        secret_key="a-secret-for-tests-only-0123456789abcdef", site_url="https://news.example.org",
        mail_default_sender="News <news@example.org>", mail_server="127.0.0.1", postal_address="Exampletown",
        smtp_connections=job.connections, uncertain_policy=job.policy,
    ))  # fmt: skip
    stop = embedded.stop_on_signal()
    with slot(job.folder / "var" / "slots") as owner:
        parent.send(owner.token)
        if job.halt:
            parent.send(threading.get_native_id())
            parent.recv()
        count = _die_at_line(job.line) if job.line is not None else lambda: 0
        work = tasks.Work(Flask("worker"), services, owner)
        work.look_back()
        work.recover()
        report = work.send(stop, job.patience)
        parent.send((_balances(services.database), report.trouble, count()))


def _balances(database: Database) -> dict[int, Balance]:
    """Return the account of each issue as the worker's own code gives it."""
    with database.reading() as session:
        numbers = session.scalars(select(Mailing.id)).all()
        return {number: account for number in numbers if (account := balance.balance(session, number))}


def _quietly(folder: Path) -> None:
    log = os.open(folder / "worker.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _follow_the_wall_clock(hand: Path) -> None:
    """Have the product read a clock that a test can move for all workers at once: a file says how far."""

    def now() -> datetime:
        moved = float(hand.read_text() or 0) if hand.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=moved)

    clock.now = now


def _die_at_line(number: int) -> Callable[[], int]:
    """Count the lines of the product that are run, on all threads, and die before the one of that number."""
    lines = itertools.count(1)
    seen = 0

    def each_line(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal seen
        if event == "line":
            seen = next(lines)
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
        return each_line

    def each_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return each_line if frame.f_code.co_filename.startswith(PACKAGE) else None

    threading.settrace(each_call)
    sys.settrace(each_call)
    return lambda: seen
