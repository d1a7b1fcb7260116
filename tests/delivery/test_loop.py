"""One thread holds many conversations: each goes on when what it waits for is there."""

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from blog.delivery import desk, loop
from blog.delivery.loop import Loop
from blog.delivery.waiting import Decided, Elsewhere, Passed, Readable, Writable, finish, until

SOON = 5.0


class Table:
    """What a loop of a test is given, and what happened in which order."""

    def __init__(self, *, waits: bool = False) -> None:
        self.said: list[object] = []
        self.stop = threading.Event()
        self.looks = 0
        self.decide: Callable[[], object] = lambda: None
        self.loop = Loop(lambda: self._decide, self._look, self.stop, waits=waits)

    def _decide(self) -> None:
        self.decide()
        self.said.append("decided")

    def _look(self) -> None:
        self.looks += 1

    async def says(self, word: object, *needs: Any) -> None:
        for need in needs:
            await until(need)
        self.said.append(word)


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        yield one, other


@pytest.mark.parametrize("waits", [False, True], ids=["here", "beside"])
def test_one_decision_is_made_for_all_that_wait_for_it(waits: bool) -> None:
    table = Table(waits=waits)
    table.loop.run(table.says(name, Decided()) for name in "abc")
    assert table.said == ["decided", "a", "b", "c"]


def test_a_conversation_whose_socket_is_silent_holds_up_nobody() -> None:
    table = Table()
    with pair() as (mine, theirs):

        async def wakes_the_first() -> None:
            for _ in range(3):
                await until(Decided())
            theirs.send(b"x")

        table.loop.run([table.says("at last", Readable(mine, SOON)), wakes_the_first()])
    assert table.said == ["decided", "decided", "decided", "at last"]


def test_a_socket_that_stays_silent_for_too_long_times_out_alone() -> None:
    table = Table()

    async def waits(mine: socket.socket) -> None:
        with pytest.raises(TimeoutError):
            await until(Readable(mine, 0.05))
        table.said.append("given up")

    with pair() as (mine, _theirs):
        table.loop.run([waits(mine), table.says("the other", Passed(0.2))])
    assert table.said == ["given up", "the other"]


def test_an_error_ends_its_conversation_and_no_other() -> None:
    table = Table()

    async def breaks() -> None:
        await until(Decided())
        raise RuntimeError("of our own")

    table.loop.run([breaks(), table.says("goes on", Decided(), Passed(0.01))])
    assert table.said == ["decided", "goes on"]


def test_while_a_server_decides_the_others_talk_on_and_the_next_gather() -> None:
    table, talked = Table(waits=True), threading.Event()
    table.decide = lambda: table.said.append(talked.wait(SOON))
    with pair() as (mine, theirs):
        theirs.send(b"x")

        async def talks() -> None:
            await until(Passed(0.01))
            await until(Readable(mine, SOON))
            talked.set()
            await until(Decided())
            table.said.append("talked")

        table.loop.run([table.says("first", Decided()), talks()])
    assert table.said == [True, "decided", "first", True, "decided", "talked"]


def test_nobody_looks_after_the_leases_beside_a_decision() -> None:
    table, during = Table(waits=True), []

    def decide() -> None:
        before = table.looks
        time.sleep(4 * loop.LOOK_SECONDS)
        during.append(table.looks - before)

    table.decide = decide
    table.loop.run([table.says("done", Decided(), Decided())])
    assert during == [0, 0]
    assert table.looks >= 1


@pytest.mark.parametrize("beside", [False, True], ids=["here", "beside"])
def test_an_error_of_the_desk_closes_every_conversation(beside: bool) -> None:
    closed = []

    async def waits(name: str) -> None:
        try:
            await until(Decided())
        finally:
            closed.append(name)

    def fails() -> None:
        raise RuntimeError("no database will ever do")

    with pytest.raises(RuntimeError):
        Loop(lambda: fails, lambda: None, threading.Event(), waits=beside).run([waits("a"), waits("b")])
    assert closed == ["a", "b"]


def test_a_pause_ends_when_all_are_told_to_stop() -> None:
    table = Table()
    started = time.monotonic()
    threading.Timer(0.1, table.stop.set).start()
    table.loop.run([table.says("stopped", Passed(600.0))])
    assert table.said == ["stopped"]
    assert time.monotonic() - started < SOON


def test_what_blocks_is_done_beside_and_its_error_is_the_one_who_asked_for_it() -> None:
    table = Table()
    released = threading.Event()

    async def asks() -> None:
        table.said.append(await until(Elsewhere(lambda: released.wait(SOON))))
        with pytest.raises(ConnectionRefusedError):
            await until(Elsewhere(_refuse))

    async def releases() -> None:
        await until(Decided())
        released.set()

    table.loop.run([asks(), releases()])
    assert table.said == ["decided", True]


def _refuse() -> None:
    raise ConnectionRefusedError


def test_it_looks_after_the_leases_while_all_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loop.REST_SECONDS < desk.RENEW_SECONDS
    monkeypatch.setattr(loop, "REST_SECONDS", 0.1)
    table = Table()
    table.loop.run([table.says("done", Passed(0.35))])
    assert table.looks >= 3


def test_the_first_at_the_desk_wait_a_moment_for_those_who_are_about_to_come() -> None:
    """Twenty answers that trickle in share far fewer than twenty commits."""
    table = Table()
    pairs = [socket.socketpair() for _ in range(20)]

    async def answers(mine: socket.socket) -> None:
        await until(Readable(mine, SOON))
        await until(Decided())

    def trickle() -> None:
        for _, theirs in pairs:
            theirs.send(b"x")

    threading.Timer(0.05, trickle).start()
    table.loop.run(answers(mine) for mine, _ in pairs)
    for one, other in pairs:
        one.close()
        other.close()
    assert 1 <= table.said.count("decided") <= 10


def test_alone_a_conversation_blocks_until_its_socket_is_ready() -> None:
    async def talks(mine: socket.socket) -> bytes:
        await until(Writable(mine, SOON))
        mine.send(b"ping")
        await until(Readable(mine, SOON))
        return mine.recv(10)

    with pair() as (mine, theirs):
        threading.Timer(0.05, theirs.send, [b"pong"]).start()
        assert finish(talks(mine)) == b"pong"


def test_alone_a_silent_socket_times_out_too() -> None:
    async def waits(mine: socket.socket) -> None:
        await until(Readable(mine, 0.05))

    with pair() as (mine, _theirs), pytest.raises(TimeoutError):
        finish(waits(mine))


def test_alone_nobody_is_there_to_decide() -> None:
    async def asks() -> Awaitable[None]:
        return await until(Decided())

    with pytest.raises(TypeError, match="nobody"):
        finish(asks())
