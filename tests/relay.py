"""A scripted SMTP relay with PIPELINING and faults, for tests: in this process or, to outlive kills, its own.

It takes a message only after the final dot, writes it down durably before it answers, and complains when a
client pipelines past DATA (RFC 2920 §3.1).
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.captured import CAPTURED

EXTENSIONS = ("PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
FAULTS = (
    "mail 421", "mail 451", "rcpt 451", "data 451", "dot 451", "dot 452",
    "drop in content", "drop after dot, accepted", "drop after dot, refused", "slow",
)  # fmt: skip

#: The same, and refusals for good, and a relay that keeps its client waiting before each answer.
HARD_FAULTS = (*FAULTS, "rcpt 550 5.1.1 no such user", "dot 554 5.6.0 no such thing", "tarpit")
TARPIT_SECONDS = 0.15


@dataclass
class Message:
    """An accepted message as it came over the wire, dots unstuffed."""

    sender: str
    recipient: str
    raw: bytes

    @property
    def message_id(self) -> str:
        found = re.search(rb"(?im)^message-id: *(<[^>\r\n]+>)", self.raw)
        return found[1].decode() if found else ""


@dataclass
class Script:
    """How the relay behaves: what it offers, and a fault (or "") for each recipient."""

    extensions: tuple[str, ...] = EXTENSIONS
    fault: Callable[[str], str] = lambda _recipient: ""
    delay: float = 0.0
    accepted: Callable[[Message], None] = lambda _message: None
    violations: list[str] = field(default_factory=list)
    connections: int = 0


class Conversation(asyncio.Protocol):
    """One client's conversation."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._buffer = b""
        self._content: list[bytes] | None = None
        self._sender = self._recipient = self._fault = ""
        self._transport: asyncio.Transport | None = None
        self._asleep = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._script.connections += 1
        self._say("220 relay ready")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._work()

    def _work(self) -> None:
        while (
            b"\n" in self._buffer
            and not self._asleep
            and self._transport
            and not self._transport.is_closing()
        ):
            line, _, self._buffer = self._buffer.partition(b"\n")
            if not line.endswith(b"\r"):
                self._script.violations.append("a bare line feed")
            if self._content is None:
                self._command(line.rstrip(b"\r").decode("utf-8", "replace"))
            else:
                self._line(line + b"\n")

    def _command(self, line: str) -> None:
        verb = line.split(" ", 1)[0].upper()
        handler = {
            "EHLO": self._ehlo, "HELO": self._helo, "MAIL": self._mail, "RCPT": self._rcpt,
            "DATA": self._data, "RSET": self._rset, "QUIT": self._quit, "NOOP": self._rset,
        }.get(verb)  # fmt: skip
        handler(line) if handler else self._say("502 5.5.1 unknown")

    def _ehlo(self, _line: str) -> None:
        lines = ["relay", *self._script.extensions]
        self._say(
            "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{text}" for i, text in enumerate(lines))
        )

    def _helo(self, _line: str) -> None:
        self._say("250 relay")

    def _mail(self, line: str) -> None:
        if self._sender:
            self._say("503 5.5.1 nested MAIL")
            return
        self._sender = _address(line)
        self._say("250 2.1.0 ok")

    def _rcpt(self, line: str) -> None:
        if not self._sender:
            self._say("503 5.5.1 MAIL first")
            return
        recipient = _address(line)
        self._fault = self._script.fault(recipient)
        if self._fault == "mail 421":
            self._say("421 4.3.2 closing")
        elif self._fault in ("mail 451", "rcpt 451"):
            self._say("451 4.7.1 greylisted")
        elif self._fault.startswith("rcpt "):
            self._say(self._fault.removeprefix("rcpt "))
        else:
            self._recipient = recipient
            self._pause(TARPIT_SECONDS if self._fault == "tarpit" else 0, lambda: self._say("250 2.1.5 ok"))

    def _data(self, _line: str) -> None:
        if self._buffer:
            self._script.violations.append("content before 354")
        if not self._recipient and self._fault != "354 anyway":
            self._say("503 5.5.1 no valid recipients")
        elif self._fault == "data 451":
            self._say("451 4.3.0 later")
        else:
            self._content = []
            self._say("354 go ahead")

    def _line(self, line: bytes) -> None:
        assert self._content is not None
        if line == b".\r\n":
            self._dot(b"".join(self._content))
            return
        self._content.append(line[1:] if line.startswith(b".") else line)
        if self._fault == "drop in content" and len(self._content) == 3:
            self._abort()

    def _dot(self, raw: bytes) -> None:
        message, self._content = Message(self._sender, self._recipient, raw), None
        fault = self._fault
        self._reset()
        if not message.recipient:
            self._say("554 5.5.1 no valid recipients")
        elif fault == "dot 451":
            self._say("451 4.3.0 later")
        elif fault.startswith("dot "):
            self._say(fault.removeprefix("dot "))
        elif fault == "drop after dot, refused":
            self._abort()
        else:
            self._pause(
                self._script.delay + (0.05 if fault == "slow" else 0), lambda: self._take(message, fault)
            )

    def _take(self, message: Message, fault: str) -> None:
        self._script.accepted(message)
        if fault == "drop after dot, accepted":
            self._abort()
        else:
            self._say("250 2.0.0 queued")

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        if not seconds:
            then()
            return
        self._asleep = True

        def wake() -> None:
            self._asleep = False
            # A client that died while we "wrote to disk" has still handed its message over.
            then()
            self._work()

        asyncio.get_running_loop().call_later(seconds, wake)

    def _rset(self, _line: str) -> None:
        self._reset()
        self._say("250 2.0.0 ok")

    def _reset(self) -> None:
        self._sender = self._recipient = self._fault = ""

    def _quit(self, _line: str) -> None:
        self._say("221 2.0.0 bye")
        self._hang_up()

    def _say(self, text: str) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(text.encode() + b"\r\n")
        if text.startswith("421"):
            self._hang_up()

    def _hang_up(self) -> None:
        if self._transport:
            self._transport.close()

    def _abort(self) -> None:
        if self._transport:
            self._transport.abort()


def _address(line: str) -> str:
    found = re.search(r"<([^>]*)>", line)
    return found[1] if found else ""


@dataclass
class Relay:
    """A relay that runs in this process, on a thread of its own."""

    port: int
    script: Script
    messages: list[Message]

    def to(self, recipient: str) -> list[Message]:
        """Return the messages taken for one recipient."""
        return [message for message in self.messages if message.recipient == recipient]


@contextmanager
def relay(script: Script | None = None, port: int = 0) -> Iterator[Relay]:
    """Run a relay on a loopback port until the block ends."""
    script = script or Script()
    messages: list[Message] = []

    def take(message: Message) -> None:
        messages.append(message)
        CAPTURED.append(message.raw)

    script.accepted = take
    loop = asyncio.new_event_loop()
    # On a thread of its own from the start: the caller's may run a loop already (a browser's, say).
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = loop.create_server(lambda: Conversation(script), "127.0.0.1", port)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result(5)
    try:
        yield Relay(server.sockets[0].getsockname()[1], script, messages)
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    # Give the last conversations a turn to hear that they are over.
    await asyncio.sleep(0.05)


def random_faults(seed: int, share: float, among: tuple[str, ...] = FAULTS) -> Callable[[str], str]:
    """Return a script's fault function: with probability `share` one of them, reproducible by seed."""
    generator = random.Random(seed)
    return lambda _recipient: generator.choice(among) if generator.random() < share else ""


def first_time(fault: str) -> Callable[[str], str]:
    """Return a script's fault function: each recipient has the fault once."""
    seen: set[str] = set()

    def once(recipient: str) -> str:
        again = recipient in seen
        seen.add(recipient)
        return "" if again else fault

    return once


async def _serve(port: int, log: Path, fault: Callable[[str], str], delay: float) -> None:
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    script = Script(
        fault=fault,
        delay=delay,
        accepted=lambda message: _note(descriptor, f"{message.recipient} {message.message_id}\n"),
    )
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(script), "127.0.0.1", port)
    print(f"ready {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def _note(descriptor: int, line: str) -> None:
    os.write(descriptor, line.encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--once", default="")
    options = parser.parse_args()
    by_chance = random_faults(options.seed, options.faults, HARD_FAULTS)
    script = first_time(options.once) if options.once else by_chance
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.port, options.log, script, options.delay))
