"""One thread that holds all conversations of a sender, and has the desk decide for many of them at once.

Why not one thread for each connection, and when the desk has one of its own: docs/decisions/0006.
"""

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from blog.delivery.waiting import (
    TIMED_OUT,
    Conversation,
    Decided,
    Elsewhere,
    Need,
    Passed,
    Readable,
)

#: How often is looked at what no socket tells: a wish to stop, and time that is over.
LOOK_SECONDS = 0.05
#: The same while all only let time pass: a wish to stop wakes us by itself then.
REST_SECONDS = 1.0
#: A commit takes about as long as this: so long the first at the desk wait for the others.
GATHER_MS = 1

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Held:
    """A conversation, and what it waits for until when."""

    conversation: Conversation
    need: Need | None = None
    end: float = 0.0


class Loop:
    """Resumes each conversation once what it needs is there.

    `gather` takes what all have brought to the desk and returns what decides on it, which is done on a thread
    of its own if that `waits` for somebody else more than it works. `look` is called a few times a second,
    never beside a decision.
    """

    def __init__(
        self,
        gather: Callable[[], Callable[[], None]],
        look: Callable[[], None],
        stop: threading.Event,
        *,
        waits: bool = False,
    ) -> None:
        self._gather, self._look, self._stop = gather, look, stop
        self._beside = ThreadPoolExecutor(1) if waits else None
        self._ready: deque[tuple[_Held, Callable[[], Need]]] = deque()
        self._desk: list[_Held] = []
        self._deciding: list[_Held] = []
        self._waiting: set[_Held] = set()
        self._pausing: set[_Held] = set()
        self._sockets: dict[int, _Held] = {}
        self._poll = select.poll()
        self._done: deque[Callable[[], None]] = deque()
        self._bell, self._ring = socket.socketpair()
        self._looked = self._ahead = 0.0

    def run(self, conversations: Iterable[Conversation]) -> None:
        """Hold the conversations until each has ended; one that raises ends alone."""
        held = [_Held(one) for one in conversations]
        self._bell.setblocking(False)
        self._poll.register(self._bell, select.POLLIN)
        self._ready.extend((one, partial(one.conversation.send, None)) for one in held)
        try:
            while self._is_busy() or self._pausing:
                self._turn()
        finally:
            if self._beside:
                self._beside.shutdown()
            for one in held:
                one.conversation.close()
            self._bell.close()
            self._ring.close()

    def _is_busy(self) -> bool:
        return bool(self._ready or self._desk or self._deciding or self._waiting)

    def _turn(self) -> None:
        for _ in range(len(self._ready)):
            self._resume(*self._ready.popleft())
        if self._pausing and not self._is_busy():
            self._rest()
        for descriptor, _ in self._poll.poll(self._patience()):
            if descriptor == self._bell.fileno():
                self._answer_bell()
            else:
                self._wake(self._sockets[descriptor])
        if self._desk and not (self._ready or self._deciding):
            self._decide()
        self._end_pauses()
        if self._now() - self._looked >= LOOK_SECONDS:
            self._end_waits()
            if not self._deciding:
                self._look()
                self._looked = self._now()

    def _decide(self) -> None:
        self._deciding, self._desk = self._desk, []
        decide = self._gather()
        if self._beside is None:
            decide()
            self._decided()
            return
        decision = self._beside.submit(decide)
        decision.add_done_callback(lambda _: self._tell(partial(self._decided, decision)))

    def _decided(self, decision: Future[None] | None = None) -> None:
        if decision:
            decision.result()
        for one in self._deciding:
            self._wake(one)
        self._deciding = []

    def _rest(self) -> None:
        """Wait where all only let time pass; whoever may tell us to stop decides how it does."""
        seconds, began = self._until_soonest(REST_SECONDS), time.monotonic()
        if not self._stop.wait(seconds):
            self._ahead += max(0.0, seconds - (time.monotonic() - began))

    def _until_soonest(self, most: float) -> float:
        soonest = min((one.end for one in self._pausing), default=float("inf")) - self._now()
        return max(0.0, min(soonest, most))

    def _now(self) -> float:
        return time.monotonic() + self._ahead

    def _patience(self) -> int:
        """Return how many milliseconds to wait for a socket."""
        if self._ready or not self._is_busy():
            return 0
        if self._deciding or not self._desk:
            return int(self._until_soonest(LOOK_SECONDS) * 1000)
        return GATHER_MS if len(self._desk) < len(self._sockets) else 0

    def _resume(self, held: _Held, step: Callable[[], Need]) -> None:
        try:
            need = step()
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - the others go on
            log.error("delivery.conversation_failed", error=type(error).__name__)
            return
        self._hold(held, need)

    def _hold(self, held: _Held, need: Need) -> None:
        held.need = need
        if isinstance(need, Decided):
            self._desk.append(held)
            return
        if isinstance(need, Passed):
            held.end = self._now() + need.seconds
            self._pausing.add(held)
            return
        self._waiting.add(held)
        if isinstance(need, Elsewhere):
            threading.Thread(target=self._act, args=(held, need.action), daemon=True).start()
            return
        held.end = self._now() + need.seconds
        self._poll.register(need.socket, select.POLLIN if isinstance(need, Readable) else select.POLLOUT)
        self._sockets[need.socket.fileno()] = held

    def _wake(self, held: _Held, error: Exception | None = None) -> None:
        self._waiting.discard(held)
        self._pausing.discard(held)
        if not isinstance(held.need, Decided | Elsewhere | Passed | None):
            descriptor = held.need.socket.fileno()
            self._poll.unregister(descriptor)
            del self._sockets[descriptor]
        talk = held.conversation
        self._ready.append((held, partial(talk.throw, error) if error else partial(talk.send, None)))

    def _end_pauses(self) -> None:
        now, stopped = self._now(), self._stop.is_set()
        for one in [one for one in self._pausing if stopped or now >= one.end]:
            self._wake(one)

    def _end_waits(self) -> None:
        now = self._now()
        for one in [one for one in self._sockets.values() if now >= one.end]:
            self._wake(one, TimeoutError(TIMED_OUT))

    def _act(self, held: _Held, action: Callable[[], Any]) -> None:
        talk = held.conversation
        try:
            step = partial(talk.send, action())
        except Exception as error:  # noqa: BLE001 - it belongs to the conversation
            step = partial(talk.throw, error)
        self._tell(partial(self._go_on, held, step))

    def _tell(self, news: Callable[[], None]) -> None:
        """Have the loop's own thread do something; called by any other."""
        self._done.append(news)
        with suppress(OSError):  # nobody listens any more
            self._ring.send(b"!")

    def _answer_bell(self) -> None:
        self._bell.recv(4096)
        while self._done:
            self._done.popleft()()

    def _go_on(self, held: _Held, step: Callable[[], Need]) -> None:
        self._waiting.discard(held)
        self._ready.append((held, step))
