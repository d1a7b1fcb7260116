"""`blog demo`: everything at once on this machine, for trying it out."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import click

from blog import clock, migrate, runtime
from blog.articles.publishing import Published, publish
from blog.cli.progress import bar
from blog.cli.serve import command, refuse_taken
from blog.cli.watching import State, state_of
from blog.content import problems as problem_lines
from blog.content.progress import Progress
from blog.delivery.inbox import inbox_server
from blog.errors import BlogError
from blog.settings import Settings, demo_file, load_settings
from blog.web.pieces import Services

WATCH_SECONDS = 0.5
START_SECONDS = 30.0
STOP_SECONDS = 5.0


@click.command("demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65534), default=8000, show_default=True, help="Port of the site."
)
@click.option(
    "--mail-port", type=int, default=None, help="Port of the inbox's SMTP server; default: a free one."
)
def demo(host: str, port: int, mail_port: int | None) -> None:
    """Migrate, publish, serve, send: the whole product on this machine, with an inbox to look at."""
    refuse_taken(host, port)
    stop = _stop_on_signal()
    with inbox_server(mail_port or 0) as (smtp_port, folder):
        environment = _environment(host, port, smtp_port, folder)
        os.environ.update(environment)
        services = runtime.build(load_settings())
        _leave_settings(environment)
        # Before they are read for the first time: what changes meanwhile is noticed later.
        seen = state_of(services.settings.content_dir)
        _prepare(services)
        children = [
            _start(command(host, port, 1)),
            _start([sys.executable, "-m", "blog.cli", "worker"]),
        ]
        try:
            _wait_until_up(f"http://{host}:{port}/healthz", children)
            _welcome(services.settings)
            _watch(services, children, stop, seen)
        finally:
            _stop(children)
            demo_file().unlink(missing_ok=True)


def _environment(host: str, port: int, smtp_port: int, folder: Path) -> dict[str, str]:
    """The demo's own settings win over everything, except where its rows and articles are."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - recognised, not bound
    return {
        "BLOG_DEMO": "1",
        "BLOG_SITE_URL": f"http://{shown}:{port}",
        "BLOG_MAIL_SERVER": "127.0.0.1",
        "BLOG_MAIL_PORT": str(smtp_port),
        "BLOG_MAIL_USERNAME": "",
        "BLOG_MAIL_USE_TLS": "",
        "BLOG_MAIL_USE_SSL": "",
        "BLOG_INBOX_DIR": str(folder),
        "BLOG_POSTAL_ADDRESS": os.environ.get(
            "BLOG_POSTAL_ADDRESS", "Signal & System, 12 Example Street, Exampletown"
        ),
        "BLOG_MAIL_DEFAULT_SENDER": os.environ.get(
            "BLOG_MAIL_DEFAULT_SENDER", "Signal & System <digest@signal-system.example>"
        ),
    }


def _leave_settings(environment: dict[str, str]) -> None:
    """Let commands that are run beside the demo find the same site."""
    path = demo_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {name.removeprefix("BLOG_").lower(): value for name, value in environment.items() if value}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    path.write_text("\n".join([f"demo_process = {os.getpid()}", *lines]) + "\n")


def _prepare(services: Services) -> None:
    migrate.upgrade(services.database)
    with bar("Rendering") as progress:
        changes, problems = _published(services, progress)
    for line in problem_lines.lines(problems):
        click.echo(f"  {line}", err=True)
    click.echo(f"{changes.present} articles published from {_short(services.settings.content_dir)}.")


def _published(services: Services, progress: Progress | None = None) -> Published:
    settings = services.settings
    return publish(
        services.database,
        settings.content_dir,
        clock.now,
        cache_dir=settings.var_dir / "cache",
        progress=progress,
    )


def _start(arguments: list[str]) -> "subprocess.Popen[bytes]":
    # A group of its own: Ctrl-C reaches us alone, and we stop our children in order.
    return subprocess.Popen(arguments, start_new_session=True)


def _wait_until_up(url: str, children: list["subprocess.Popen[bytes]"]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            raise BlogError("the site or the worker ended while starting; its message is above")
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise BlogError(f"the site did not answer within {START_SECONDS:.0f} seconds")


def _welcome(settings: Settings) -> None:
    site = settings.site_url
    click.echo(
        f"""
  The site    {site}
  The inbox   {site}/dev/inbox

  Three things to try:
  1. Subscribe at {site}/subscribe with any address, open the mail in the
     inbox and press the button behind its link.
  2. Then send yourself a digest, from a second terminal:
     .venv/bin/blog digest run --cadence weekly
  3. Drop a Markdown file into {_short(settings.content_dir / "articles")} and reload the site.

  Ctrl-C stops everything.
"""
    )


def _short(path: Path) -> str:
    """Return a path as seen from here, where that is shorter."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _watch(
    services: Services,
    children: list["subprocess.Popen[bytes]"],
    stop: threading.Event,
    seen: State,
) -> None:
    """Publish changed files at once, until told to stop or a child ends."""
    while not stop.wait(WATCH_SECONDS):
        if any(child.poll() is not None for child in children):
            raise BlogError("the site or the worker ended; its message is above")
        current = state_of(services.settings.content_dir)
        if current != seen:
            seen = current
            _publish_again(services)


def _publish_again(services: Services) -> None:
    try:
        changes, problems = _published(services)
    except BlogError as error:
        click.echo(f"{clock.now():%H:%M:%S} {error}", err=True)
        return
    for line in problem_lines.lines(problems):
        click.echo(f"  {line}", err=True)
    if changes.added or changes.changed or changes.removed:
        click.echo(
            f"{clock.now():%H:%M:%S} published: {len(changes.added)} added, {len(changes.changed)} changed, "
            f"{len(changes.removed)} removed"
        )


def _stop(children: list["subprocess.Popen[bytes]"]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop
