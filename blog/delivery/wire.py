"""Octets and replies over one socket, waited for without holding up other connections."""

import socket
import ssl
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from blog.delivery.replies import Reply
from blog.delivery.waiting import Elsewhere, Readable, Writable, until

LONGEST_LINE = 4096
#: What one record of TLS can hold (RFC 8446 §5.1). Of a larger piece nobody could say, once the connection
#: has broken, how much of it the relay can read.
RECORD = 16384
MOST_LINES = 128


class Wire:
    """A socket that takes octets and gives SMTP replies; each wait may take `patience` seconds."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._buffer = b""
        self._socket: socket.socket | None = None
        self.taken = 0

    async def connect(self, host: str, port: int, *, tls: bool) -> None:
        """Open the socket; raises `OSError`."""

        def connected() -> socket.socket:
            raw = socket.create_connection((host, port), timeout=self.patience)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._secured(raw, host) if tls else _unblocked(raw)

        await self._begin_with(connected)

    async def secure(self, host: str) -> None:
        """Begin TLS; the certificate is verified for `host`."""
        if self._buffer:
            raise ValueError("the relay spoke before TLS was up")  # a response injected by a third party
        plain = self._opened()
        await self._begin_with(lambda: self._secured(plain, host))

    async def ask(self, octets: bytes) -> Reply:
        """Send and return the reply."""
        await self.send(octets)
        return await self.reply()

    async def send(self, octets: bytes) -> None:
        """Send all; whatever is raised, the relay can have read no more than the first `taken` octets."""
        # The time-out counts for each block: a slow relay may take minutes over a long message (RFC 5321
        # §4.5.3.2.5).
        rest, self.taken = memoryview(octets), 0
        most = RECORD if isinstance(self._socket, ssl.SSLSocket) else len(octets)
        while rest:
            taken = await self._do(self._opened().send, rest[:most], Writable)
            rest = rest[taken:]
            self.taken += taken

    async def reply(self) -> Reply:
        """Read one reply; raises `OSError`, `EOFError`, or `ValueError` for what is none."""
        while (said := self._complete()) is None:
            received = await self._do(self._opened().recv, 65536, Readable)
            if not received:
                raise EOFError("connection closed by the relay")
            self._buffer += received
        return said

    def close(self) -> None:
        """Close at once."""
        if self._socket is not None:
            self._socket.close()

    def _complete(self) -> Reply | None:
        """Take one reply out of what has arrived; None: not all of it has."""
        start = 0
        for _ in range(MOST_LINES):
            end = self._buffer.find(b"\n", start) + 1
            if not end:
                break
            if self._buffer[start:end][3:4] != b"-":
                whole, self._buffer = self._buffer[:end], self._buffer[end:]
                return _read(whole)
            start = end
        else:
            raise ValueError("the relay's answer does not end")
        if len(self._buffer) - start > LONGEST_LINE:
            raise ValueError("the relay's answer has no end of line")
        return None

    async def _do(
        self, action: Callable[[Any], Any], argument: object, usual: type[Readable | Writable]
    ) -> Any:
        """Do what a socket may not be ready for, as soon as it is; TLS may want to read for a write."""
        while True:
            try:
                return action(argument)
            except ssl.SSLWantReadError:
                await until(Readable(self._opened(), self.patience))
            except ssl.SSLWantWriteError:
                await until(Writable(self._opened(), self.patience))
            except BlockingIOError:
                await until(usual(self._opened(), self.patience))

    async def _begin_with(self, make: Callable[[], socket.socket]) -> None:
        """Have the socket made on a thread beside; who stops waiting for it leaves none open."""
        made: list[socket.socket] = []
        gone = threading.Event()

        def make_or_drop() -> socket.socket:
            made.append(make())
            if gone.is_set():
                made[0].close()
            return made[0]

        try:
            self._socket = await until(Elsewhere(make_or_drop))
        except BaseException:
            gone.set()
            for one in made:
                one.close()
            raise

    def _secured(self, raw: socket.socket, host: str) -> socket.socket:
        raw.settimeout(self.patience)
        return _unblocked(ssl.create_default_context().wrap_socket(raw, server_hostname=host))

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise OSError("the connection is not open")
        return self._socket


@lru_cache(maxsize=16)  # relays answer most messages in the same few words
def _read(octets: bytes) -> Reply:
    lines = [line.rstrip("\r") for line in octets.decode("utf-8", "replace").split("\n")[:-1]]
    if not all(line[:3].isdigit() and line[3:4] in ("", " ", "-") for line in lines):
        raise ValueError("the relay answered something that is no SMTP reply")
    return Reply(int(lines[-1][:3]), "\n".join(line[4:] for line in lines))


def _unblocked(opened: socket.socket) -> socket.socket:
    opened.setblocking(False)
    return opened
