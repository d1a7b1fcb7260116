"""A process of Celery's pool: its services, its slot on this host, and how it hears that it is to stop."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from blog import create_app, revisions, runtime
from blog.delivery.slots import slot
from blog.errors import BlogError
from blog.settings import load_settings
from blog.worker.tasks import Work, slots_of


class Lifeline:
    """A pipe whose writing end only the main process keeps open: when it closes, its children stop.

    The children of a pool hear nothing of a signal to the main process, which waits for them to end.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self._made_by = os.getpid()
        self.stop = threading.Event()

    def cut(self) -> None:
        """Stop this process and every child."""
        self.stop.set()
        self._let_go()

    def hold_on(self) -> None:
        """Be a child: stop when the main process says so, or is no more."""
        if not self._is_child:
            return  # a pool without children, whose one process is the main one
        self._let_go()
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Take a SIGTERM that reaches a child at its work for a word to stop, and not for its death.

        systemd and shells signal the whole group; what is being handed over is finished first.
        """
        if not self._is_child:
            yield  # the main process's signals are Celery's
            return
        former = signal.signal(signal.SIGTERM, lambda *_: self.stop.set())
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, former)

    def _listen(self) -> None:
        os.read(self._reading, 1)
        self.stop.set()

    @property
    def _is_child(self) -> bool:
        return os.getpid() != self._made_by

    def _let_go(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1


class Slice(threading.Event):
    """Is set when the process is to stop, or when a task has had its time."""

    def __init__(self, stop: threading.Event, seconds: float) -> None:
        super().__init__()
        self._stopping = stop
        self._until = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether it is the time that ended it, so that the rest is for another turn."""
        return not self._stopping.is_set() and time.monotonic() >= self._until

    def is_set(self) -> bool:
        return self._stopping.is_set() or self.is_over

    def wait(self, timeout: float | None = None) -> bool:
        left = max(0.0, self._until - time.monotonic())
        self._stopping.wait(left if timeout is None else min(timeout, left))
        return self.is_set()


class Place:
    """What a process works with; it holds its slot until it ends."""

    def __init__(self) -> None:
        settings = load_settings()
        services = runtime.build(settings)
        at = revisions.current(services.database)
        if at is None or at < revisions.head():
            raise BlogError("the database is not at this version's schema; run: blog db upgrade")
        self.process = os.getpid()
        self.sending = threading.Lock()
        self._held = ExitStack()
        owner = self._held.enter_context(slot(slots_of(services)))
        self.work = Work(create_app(settings), services, owner)
        # Whoever had this slot before is dead: what it left in hand is settled at once, not after its lease.
        self.work.recover()


_taking = threading.Lock()
_taken: list[Place] = []


def place() -> Place:
    """Return this process's place, taking one at its first task."""
    with _taking:
        if not _taken or _taken[0].process != os.getpid():
            _taken[:] = [Place()]
        return _taken[0]
