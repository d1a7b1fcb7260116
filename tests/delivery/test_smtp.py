"""The SMTP client against a relay that takes its time."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blog.delivery.replies import Envelope, Lost
from blog.delivery.smtp import END_OF_DATA, Connection, Relay
from blog.delivery.waiting import Elsewhere, finish
from blog.delivery.wire import Wire
from tests.smtp_server import certificate

MEGABYTE = 1024 * 1024
BITE, PAUSE = MEGABYTE // 2, 0.05


def take_slowly(listener: socket.socket, size: int) -> None:
    """Greet, then read so many octets in bites with a pause after each, and say that they are taken."""
    client, _ = listener.accept()
    with client:
        client.sendall(b"220 relay\r\n")
        client.recv(4096)
        client.sendall(b"250 relay\r\n")
        while size > 0:
            size -= len(client.recv(min(BITE, size), socket.MSG_WAITALL))
            time.sleep(PAUSE)
        client.sendall(b"250 2.0.0 queued\r\n")


def test_a_relay_that_takes_a_long_message_slowly_is_waited_for_as_long_as_it_goes_on_reading() -> None:
    content = b"x" * (16 * MEGABYTE) + END_OF_DATA
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=take_slowly, args=(listener, len(content)), daemon=True).start()
        connection = Connection(Relay("127.0.0.1", listener.getsockname()[1], "test", timeout=0.6))
        finish(connection.open())
        started = time.monotonic()
        answer = finish(connection.exchange(content, None)).content
        connection.abort()
    assert time.monotonic() - started > 1.2
    assert str(answer) == "250 2.0.0 queued"


def read_to_its_end(client: socket.socket) -> int:
    """Return how many octets can be read from somebody who has hung up."""
    read = 0
    with contextlib.suppress(ssl.SSLError):
        while octets := client.recv(MEGABYTE):
            read += len(octets)
    return read


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_of_what_was_not_taken_it_is_known_how_much_a_relay_can_have_read(
    secure: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as beside:

        def accept() -> socket.socket:
            client, _ = listener.accept()
            return context.wrap_socket(client, server_side=True) if secure else client

        accepting = beside.submit(accept)
        wire = Wire(0.3)
        finish(wire.connect("127.0.0.1", listener.getsockname()[1], tls=secure))
        with pytest.raises(TimeoutError):
            finish(wire.send(b"x" * (64 * MEGABYTE)))
        wire.close()
        with accepting.result() as client:
            read = read_to_its_end(client)
    assert 0 < read <= wire.taken < 64 * MEGABYTE
    assert secure or read == wire.taken


@pytest.mark.parametrize("reads", ["half", "all"])
def test_a_message_is_in_doubt_from_its_last_octet_on_though_the_next_envelope_leaves_with_it(
    reads: str,
) -> None:
    content, envelope = b"x" * (8 * MEGABYTE) + END_OF_DATA, Envelope("a@example.org", "b@example.org")
    size = len(content) if reads == "all" else len(content) // 2

    def take_and_hang_up() -> None:
        client, _ = listener.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with client:
            client.sendall(b"220 relay\r\n")
            client.recv(4096)
            client.sendall(b"250-relay\r\n250 PIPELINING\r\n")
            client.recv(size, socket.MSG_WAITALL)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        threading.Thread(target=take_and_hang_up, daemon=True).start()
        connection = Connection(Relay("127.0.0.1", listener.getsockname()[1], "test"))
        finish(connection.open())
        said = finish(connection.exchange(content, envelope))
        connection.abort()
    assert isinstance(said.content, Lost)
    assert isinstance(said.envelope, Lost)
    assert said.content.complete == (reads == "all")


@pytest.mark.parametrize("order", ["made, then left", "left, then made"])
def test_who_stops_waiting_for_a_connection_leaves_no_socket_open(order: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        waiting = Wire(5.0).connect("127.0.0.1", listener.getsockname()[1], tls=False)
        need = waiting.send(None)
        assert isinstance(need, Elsewhere)
        if order == "left, then made":
            waiting.close()
        made = need.action()
        waiting.close()
    assert made.fileno() == -1
