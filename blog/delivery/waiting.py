"""What a conversation with a relay waits for, so that one thread can hold many of them.

A conversation is a coroutine that says what it needs, and is resumed once that is there: by `loop.Loop`
beside others, or by `finish` alone.
"""

import select
import socket
import types
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Readable:
    """A socket can be read, within so many seconds."""

    socket: socket.socket
    seconds: float


@dataclass(frozen=True)
class Writable:
    """A socket can be written, within so many seconds."""

    socket: socket.socket
    seconds: float


@dataclass(frozen=True)
class Elsewhere:
    """Something that blocks has been done on a thread of its own."""

    action: Callable[[], Any]


@dataclass(frozen=True)
class Decided:
    """What was handed in at the desk is durable."""


@dataclass(frozen=True)
class Passed:
    """So many seconds have passed, or all are told to stop."""

    seconds: float


Need = Readable | Writable | Elsewhere | Decided | Passed
Conversation = Coroutine[Need, Any, Any]


@types.coroutine
def until(need: Need) -> Generator[Need, Any, Any]:
    """Wait for something; `TimeoutError` if a socket takes too long, or what the action raises."""
    return (yield need)


def finish(conversation: Coroutine[Need, Any, Any]) -> Any:
    """Hold a conversation to its end, alone and blocking; return what it returns."""
    given: Any = None
    try:
        need = conversation.send(None)
        while True:
            try:
                given = _wait(need)
            except Exception as error:  # noqa: BLE001 - it belongs to the conversation
                need = conversation.throw(error)
            else:
                need = conversation.send(given)
    except StopIteration as end:
        return end.value


def _wait(need: Need) -> Any:
    if isinstance(need, Elsewhere):
        return need.action()
    if not isinstance(need, Readable | Writable):
        raise TypeError(f"nobody is here to decide: {need}")
    waiter = select.poll()
    waiter.register(need.socket, select.POLLIN if isinstance(need, Readable) else select.POLLOUT)
    if not waiter.poll(need.seconds * 1000):
        raise TimeoutError(TIMED_OUT)
    return None
