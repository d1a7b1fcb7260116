"""A relay that misbehaves once, in one of ten ways, at one of ten points of the conversation (F-DEL-2)."""

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PHASES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "mid-body", "dot", "reply")
FAULTS = (
    "4xx", "5xx", "421", "drop", "reset", "silence", "garbage", "slow", "oversize line", "many lines",
)  # fmt: skip
REFUSALS = {"4xx": "451 4.3.0 not now", "5xx": "550 5.1.1 no such user", "421": "421 4.3.2 closing"}
#: What the relay says when nothing is wrong, at the points where it answers a command.
GOOD = {
    "banner": "220 relay ready", "starttls": "220 2.0.0 go", "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 ok", "rcpt": "250 2.1.5 ok", "data": "354 go", "mid-body": "452 4.3.1 no room",
    "dot": "250 2.0.0 queued", "reply": "250 2.0.0 queued",
}  # fmt: skip
NOISE = {"garbage": b"\xff\x00\xfe what is this?\r\n", "oversize line": b"250 " + b"x" * 200_000}
SILENCE = 10.0
BLOCK = 65536
END = b"\r\n.\r\n"


class Gone(Exception):
    """The conversation is over."""


@dataclass
class Hostile:
    """The running relay: which cell it plays, whether the fault has happened, and what it has taken."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    phase: str = ""
    fault: str = ""
    victim: str = ""
    done: bool = True
    taken: list[tuple[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def play(self, phase: str, fault: str, victim: str) -> None:
        """Get ready for one cell: `fault` happens once at `phase`, to `victim` where one is known by then."""
        self.phase, self.fault, self.victim, self.done = phase, fault, victim, False
        self.taken = []


@contextmanager
def hostile(tls: ssl.SSLContext) -> Iterator[Hostile]:
    """Run the relay on a loopback port until the block ends."""
    relay = Hostile(tls=tls)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        # A narrow window, so that a long message cannot hide in the kernel's buffers.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        relay.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, relay), daemon=True).start()
        try:
            yield relay
        finally:
            relay.over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, relay: Hostile) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_converse, args=(client, relay), daemon=True).start()


def _converse(client: socket.socket, relay: Hostile) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    talk = Talk(client, relay)
    with contextlib.suppress(Gone, OSError):
        talk.run()
    talk.close()


class Talk:
    """One conversation."""

    def __init__(self, client: socket.socket, relay: Hostile) -> None:
        self._client = client
        self._relay = relay
        self._buffer = b""
        self._granted = False
        self._recipient = ""
        self._secure = False

    def run(self) -> None:
        """Converse until the client goes."""
        self._answer("banner")
        while True:
            verb = self._line().decode("utf-8", "replace")
            name = verb.split(" ", 1)[0].upper()
            if name in ("EHLO", "HELO"):
                self._hello(name)
            elif name == "STARTTLS":
                self._upgrade()
            elif name == "AUTH":
                self._answer("auth")
            elif name == "MAIL":
                self._recipient, self._granted = "", self._answer("mail")
            elif name == "RCPT":
                self._rcpt(verb)
            elif name == "DATA":
                self._data()
            else:
                self._say("221 2.0.0 bye" if name == "QUIT" else "250 2.0.0 ok")

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._client.close()

    def _hello(self, name: str) -> None:
        offered = ["relay", "ENHANCEDSTATUSCODES", "PIPELINING"]
        if self._relay.phase == "starttls" and not self._secure:
            offered.append("STARTTLS")
        if self._relay.phase == "auth":
            offered.append("AUTH PLAIN")
        lines = [f"250{'-' if text != offered[-1] else ' '}{text}" for text in offered]
        self._answer("ehlo" if name == "EHLO" else "", "\r\n".join(lines))

    def _upgrade(self) -> None:
        if self._answer("starttls"):
            assert self._relay.tls
            self._client = self._relay.tls.wrap_socket(self._client, server_side=True)
            self._secure = True

    def _rcpt(self, verb: str) -> None:
        found = re.search("<([^>]*)>", verb)
        if not found or not self._granted:
            self._say("503 5.5.1 MAIL first")
            return
        self._recipient = found[1] if self._answer("rcpt", recipient=found[1]) else ""

    def _data(self) -> None:
        if not self._recipient:
            self._say("503 5.5.1 no valid recipients")
        elif self._answer("data", recipient=self._recipient):
            self._content()

    def _content(self) -> None:
        recipient = self._recipient
        taken = not self._is_due("mid-body", recipient) or self._interrupt()
        self._to_the_end()
        raw, _, self._buffer = self._buffer.partition(END)
        if self._is_due("dot", recipient):
            if self._misbehave("dot"):
                self._take(recipient, raw)
        elif self._is_due("reply", recipient):
            if self._relay.fault not in REFUSALS:
                self._take(recipient, raw)
            self._misbehave("reply")
        elif taken:
            self._take(recipient, raw)
            self._say(GOOD["dot"])

    def _to_the_end(self) -> None:
        while END not in self._buffer[-BLOCK - len(END) :]:
            self._more(BLOCK)

    def _interrupt(self) -> bool:
        """Misbehave in the middle of a message; return whether it is taken at its end all the same."""
        self._more()
        fault = self._relay.fault
        if fault == "slow":
            self._relay.done = True
            for _ in range(100):
                self._more(1024)
                time.sleep(0.001)
            return True
        if fault in ("garbage", "oversize line"):
            self._relay.done = True
            self._client.sendall(NOISE[fault])
            return True
        self._misbehave("mid-body")
        return False

    def _take(self, recipient: str, raw: bytes) -> None:
        found = re.search(rb"(?im)^message-id: *(<[^>\r\n]+>)", raw)
        self._relay.taken.append((recipient, found[1].decode() if found else ""))

    def _answer(self, phase: str, good: str = "", recipient: str = "") -> bool:
        """Answer a command; return whether the conversation goes on as if all were well."""
        if self._is_due(phase, recipient):
            return self._misbehave(phase, good)
        self._say(good or GOOD[phase])
        return True

    def _is_due(self, phase: str, recipient: str) -> bool:
        relay = self._relay
        return not relay.done and phase == relay.phase and recipient in ("", relay.victim)

    def _misbehave(self, phase: str, good: str = "") -> bool:
        """Do what the cell says, once; return whether the command has been granted all the same."""
        self._relay.done = True
        fault, good = self._relay.fault, good or GOOD[phase]
        if fault in REFUSALS:
            self._refuse(REFUSALS[fault], in_two=phase == "reply")
            return False
        if fault in ("slow", "many lines"):
            self._drip(good) if fault == "slow" else self._say(_spread(good))
            return True
        if phase == "reply" and fault not in NOISE:
            self._client.sendall(good[:6].encode())
        if fault == "reset":
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault == "silence":
            self._relay.over.wait(SILENCE)
        elif fault in NOISE:
            self._client.sendall(NOISE[fault])
            self._relay.over.wait(0.02)
        raise Gone

    def _refuse(self, text: str, in_two: bool) -> None:
        if in_two:
            self._client.sendall(text[:7].encode())
            time.sleep(0.002)
            text = text[7:]
        self._say(text)
        if self._relay.fault == "421":
            raise Gone

    def _drip(self, text: str) -> None:
        for octet in text.encode() + b"\r\n":
            self._client.sendall(bytes([octet]))
            time.sleep(0.001)

    def _say(self, text: str) -> None:
        self._client.sendall(text.encode() + b"\r\n")

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _more(self, at_once: int = 4096) -> None:
        received = self._client.recv(at_once)
        if not received:
            raise Gone
        self._buffer += received


def _spread(good: str) -> str:
    """Say the same in five lines more."""
    first = good.split("\r\n")[0]
    return "\r\n".join([*(f"{first[:3]}-line {number}" for number in range(5)), good])
