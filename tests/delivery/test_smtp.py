"""The SMTP client against a relay that takes its time."""

import socket
import threading
import time

import pytest

from blog.delivery.smtp import END_OF_DATA, Connection, Relay
from blog.delivery.waiting import Elsewhere, finish
from blog.delivery.wire import Wire

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
