"""Hatches the real web server again and again: the site is loaded once, and each server is a fork of it.

A new interpreter takes a second to be ready, a fork a few hundredths of one: a thousand servers can be
killed in minutes. For each line on its input it starts one, in a process group of its own, and says
its number.

A last argument seeds a bug. `hasty`: forms are answered first and carried out a moment later. `careless`:
SQLite writes its log, but does not wait until the disk has it.
"""

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server
from sqlalchemy import event

from blog import create_app

HASTE_SECONDS = 0.005
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main(port: int, bug: str) -> None:
    """Start a server on `port` for every line that is read."""
    app = create_app()
    served = _hasty(app) if bug == "hasty" else app
    if bug == "careless":
        event.listen(app.extensions["blog"].database.engine, "connect", _trust_the_cache)
    # Whoever is killed is forgotten by the system at once.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _serve(port, served)
        # By both: whoever reads the number may kill the group before the child has had its first turn.
        os.setpgid(child, child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _serve(port: int, app: Application) -> None:
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # As `blog serve` has it (blog/cli/serve.py), with the application that is loaded already.
    server = Server(
        "wsgi:app",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=2,
        blocking_threads=4,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=lambda: app, wrap_loader=False)
    os._exit(0)


def _hasty(app: Application) -> Application:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            return app(environ, start_response)
        body = environ["wsgi.input"].read()
        if os.fork() == 0:
            time.sleep(HASTE_SECONDS)
            list(app(environ | {"wsgi.input": io.BytesIO(body)}, lambda *_: None))
            os._exit(0)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]

    return answer


def _trust_the_cache(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[-1])
