"""A worker as an operator starts one: the embedded one, or Celery's with its scheduler."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blog.settings import ROOT

EMBEDDED = ["-m", "blog.cli", "worker"]
WORKER = ["-m", "celery", "-A", "blog.worker", "worker", "--concurrency", "2"]
WITH_BEAT = [*WORKER, "--beat"]
BEAT = ["-m", "celery", "-A", "blog.worker", "beat"]


@dataclass
class Crew:
    """One kind of worker over one installation's settings."""

    environment: dict[str, str]
    log: Path
    celery: list[str]
    #: The words of a command that runs it somewhere else.
    inside: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def uses_celery(self) -> bool:
        return "BLOG_BROKER_URL" in self.environment

    def start(self) -> None:
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [*self.inside, sys.executable, *(self.celery if self.uses_celery else EMBEDDED)],
                # As root, Celery warns; warnings are errors only where they are ours.
                env={**self.environment, "PYTHONWARNINGS": "ignore"},
                cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True,
            )  # fmt: skip

    def signal(self, number: int, *, group: bool = True) -> float:
        """Signal every process of the worker, or the main one alone; return how long they took to end."""
        assert self.process
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        began = time.monotonic()
        (os.killpg if group else os.kill)(self.process.pid, number)
        self.process.wait(30)
        self.process = None
        return time.monotonic() - began

    def freeze(self) -> None:
        assert self.process
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self.process:
            self.signal(signal.SIGKILL)


@contextmanager
def at_work(
    environment: dict[str, str], folder: Path, celery: list[str] = WITH_BEAT, inside: tuple[str, ...] = ()
) -> Iterator[Crew]:
    """Have a worker work until the block ends; its log holds no address and no traceback."""
    crew = Crew(environment, folder / f"{celery[-1]}.log", celery, inside)
    crew.start()
    try:
        yield crew
    finally:
        crew.stop()
    said = crew.log.read_text()
    assert "Traceback" not in said, said
    assert "@example.org" not in said, said


def until(true: Callable[[], bool], seconds: float, crew: Crew | None = None) -> float:
    """Wait until something is so; return how long that took."""
    began = time.monotonic()
    while not true():
        waited = time.monotonic() - began
        assert waited < seconds, (
            f"not within {seconds} s; the log: {crew.log.read_text()[-3000:] if crew else ''}"
        )
        time.sleep(0.01)
    return time.monotonic() - began
