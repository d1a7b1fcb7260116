"""`blog serve`: the web server."""

import contextlib
import os
import socket
import sys

import click

from blog.cli.opening import open_services
from blog.errors import UsageError

# granian's shutdown was seen to hang when it was told to stop while a worker started; this bounds it.
KILL_SECONDS = "3"
#: Of each process. Sign-ups wait for the disk: with two, half as many get through (`benchmarks.spike`).
THREADS = "4"

#: For glibc, which gives each thread a heap of its own: what one has freed is not for the others.
FEW_HEAPS = {"MALLOC_ARENA_MAX": "2"}


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Number of processes."
)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the site; put a reverse proxy with TLS in front of it."""
    open_services().database.dispose()
    refuse_taken(host, port)
    let_threads_finish()
    arguments = command(host, port, workers)
    os.execve(sys.executable, arguments, FEW_HEAPS | os.environ)  # noqa: S606 - our own, by argument list


def command(host: str, port: int, workers: int) -> list[str]:
    """Return the server's command line."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", THREADS, "--workers-kill-timeout", KILL_SECONDS,
        "--respawn-failed-workers", "--no-ws", "--http", "1", "--log-level", "error",
        "--factory", "blog:create_app",
    ]  # fmt: skip


def let_threads_finish() -> None:
    """Ask Linux that a thread that wakes up lets the running one finish its turn (sched(7), SCHED_BATCH).

    A request goes through two threads, and usually each wakes the other out of its turn: so they take turns
    by the handful, and a page from memory costs a fifth less processor time (`benchmarks.site`). Who runs
    us may have asked for another policy already; processes that we start keep ours.
    """
    if not hasattr(os, "SCHED_BATCH") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    with contextlib.suppress(OSError):  # forbidden in some sandboxes, and nothing that a site depends on
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def refuse_taken(host: str, port: int) -> None:
    """Raise `UsageError` if somebody listens there already, or if we may not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"port {port} on {host} cannot be used ({error.strerror}); choose another: --port"
            ) from None
