"""`blog preview`: the site as it will be, drafts and all, in a browser that follows what is written."""

import gc
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnProcess
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.serving import WSGIRequestHandler, make_server

from blog import clock, create_app, migrate
from blog.articles.relating import relate
from blog.articles.sync import edited, sync, sync_edited
from blog.cli.progress import bar
from blog.cli.serve import refuse_taken
from blog.cli.watching import State, changes, state_of
from blog.content import problems as problem_lines
from blog.content.edits import load_edited
from blog.content.library import load_again
from blog.content.memory import Memory
from blog.content.progress import Progress
from blog.content.renderings import Renderings
from blog.content.site import FILE
from blog.content.values import Library, Problem
from blog.content.walk import ARTICLES
from blog.db import Database
from blog.errors import BlogError, UsageError
from blog.settings import Settings, load_settings
from blog.site import previewing
from blog.site.previewing import Stage
from blog.worker.embedded import stop_on_signal

HOST = "127.0.0.1"
STOP_SECONDS = 2.0
#: Of the page that is being written, nobody waits for what is under it.
REST_SECONDS = 2.0


@click.command("preview")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8001, show_default=True, help="Port on this machine."
)
def preview(path: Path | None, port: int) -> None:
    """Show the site while you write: a saved file is on the open page at once.

    PATH is a content folder, or an article in one; without it, the folder you are in, if it holds site.toml
    or articles, or else the site's own content folder. Drafts, scheduled and expired articles are shown, and
    marked as such. What is wrong with a file stands at the top of its page, with its line.

    Only this machine can see the preview. Its database is its own and thrown away at the end: nothing is
    published, and no mail is sent.
    """
    content_dir, file = _place(path)
    refuse_taken(HOST, port)
    with tempfile.TemporaryDirectory(prefix="blog-preview-", ignore_cleanup_errors=True) as folder:
        settings = _settings(content_dir, Path(folder), port)
        stop = stop_on_signal()
        seen = state_of(content_dir)  # before it is read for the first time
        app = create_app(settings)
        database = app.extensions["blog"].database
        migrate.upgrade(database)
        shop = _Shop(database, settings)
        with bar("Rendering") as progress:
            library = shop.look(progress=progress)
        gc.freeze()  # ten thousand articles that stay: looking through them for garbage takes half a second
        stage = Stage(library)
        previewing.install(app, stage)
        with _served(app, port, stage):
            _welcome(library, settings, file)
            _watch(content_dir, shop, stage, stop, seen)
        shop.close()
    click.echo("The preview has ended.")


def _place(path: Path | None) -> tuple[Path, Path | None]:
    """Return the content folder to show, and the file that is meant in it."""
    if path is None:
        here = Path.cwd()
        folder = here if _is_content(here) else load_settings().content_dir
    elif path.is_dir():
        folder = path
    elif path.is_file():
        folder = next((parent for parent in path.resolve().parents if _is_content(parent)), path.parent)
        return folder.resolve(), path.resolve()
    else:
        raise UsageError(f"there is no file or folder {path}")
    if not folder.is_dir():
        raise UsageError(f"BLOG_CONTENT_DIR: there is no folder {folder}; name one: blog preview PATH")
    return folder.resolve(), None


def _is_content(folder: Path) -> bool:
    return (folder / FILE).is_file() or (folder / ARTICLES).is_dir()


def _settings(content_dir: Path, folder: Path, port: int) -> Settings:
    """Return settings that keep every row in `folder`; nothing of the real site's is touched."""
    return load_settings(
        database_url=f"sqlite:///{folder / 'preview.db'}",
        content_dir=content_dir,
        var_dir=folder,
        site_url=f"http://{HOST}:{port}",
        demo=False,
        inbox_dir=None,
        # What a preview shows on a page depends on more than the published index: each is made anew.
        page_cache_mb=0,
        shared_cache_seconds=0,
    )


class _Shop:
    """The preview's own index, and what is remembered of the files that it shows."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._content_dir = database, settings.content_dir
        self._cache_dir = settings.var_dir / "cache"
        self._renderings = Renderings(self._cache_dir)
        self._memory = Memory()
        self._shown: Library | None = None
        self._relating: SpawnProcess | None = None

    def look(self, touched: Collection[str] = (), progress: Progress | None = None) -> Library:
        """Read what has changed, and show it; a file that is broken keeps its last page."""
        now = clock.now()
        sources = [os.path.relpath(path, self._content_dir) for path in touched]
        found = load_edited(sources, now, self._memory, self._renderings)
        library, memory = found or load_again(
            self._content_dir, now, self._memory, self._renderings, progress
        )
        shown = previewing.visible(library, now, self._shown)
        alone = edited(shown, self._shown) if self._shown else None
        with self._database.transaction() as session:
            if alone is None:
                sync(session, shown, now, force=True)
            elif alone:
                sync_edited(session, alone, now)
        self._memory, self._shown = memory, shown
        return library

    def relate(self) -> bool:
        """Work out beside everything else what is related to what is shown; return whether that has begun."""
        if self._relating and self._relating.is_alive():
            return False
        # A process: in a thread, the page that is written would take turns with it.
        work = (self._database.url.render_as_string(hide_password=False), self._cache_dir)
        self._relating = multiprocessing.get_context("spawn").Process(target=_relate, args=work, daemon=True)
        self._relating.start()
        return True

    def close(self) -> None:
        """Stop whatever still goes on."""
        if self._relating:
            self._relating.kill()
            self._relating.join()
        self._database.dispose()


def _relate(url: str, cache_dir: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    database = Database(url)
    # What cannot be worked out now is worked out after the next change.
    with suppress(BlogError, SQLAlchemyError, OSError):
        relate(database, clock.now, cache_dir)
    database.dispose()


@contextmanager
def _served(app: Flask, port: int, stage: Stage) -> Iterator[None]:
    # Another page in the same browser must not read drafts by way of a name that leads to this machine.
    app.config["TRUSTED_HOSTS"] = [HOST, "localhost"]
    server = make_server(HOST, port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stage.close()
        server.shutdown()
        thread.join(STOP_SECONDS)
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request: the terminal is for what the writer has to know."""

    def log(self, type: str, message: str, *args: object) -> None:
        del type, message, args


def _watch(folder: Path, shop: "_Shop", stage: Stage, stop: threading.Event, seen: State) -> None:
    """Show changed files at once, until told to stop; what is related to them, when nothing is written."""
    shown_at: float | None = time.monotonic()
    for touched in changes(folder, stop, seen):
        try:
            if touched and _show_again(shop, stage, touched):
                shown_at = time.monotonic()
        except BlogError as error:
            click.echo(f"{clock.now():%H:%M:%S} {error}", err=True)
        if shown_at is not None and time.monotonic() > shown_at + REST_SECONDS and shop.relate():
            shown_at = None


def _show_again(shop: "_Shop", stage: Stage, touched: Collection[str]) -> bool:
    """Show what has changed; return whether anything has."""
    began = time.perf_counter()
    before = stage.library
    library = shop.look(touched)
    if library == before:
        return False
    stage.show(library)
    took = (time.perf_counter() - began) * 1000
    click.echo(f"{clock.now():%H:%M:%S} shown after {took:.0f} ms")
    _print([problem for problem in library.problems if problem not in set(before.problems)])
    if before.problems and not library.problems:
        click.echo("  Nothing is left to mend.")
    return True


def _print(problems: list[Problem]) -> None:
    for line in problem_lines.lines(problems):
        click.echo(f"  {line}", err=True)


def _welcome(library: Library, settings: Settings, file: Path | None) -> None:
    _print(library.problems)
    kept_back = sum(previewing.keeps_back(item, clock.now()) for item in library.articles)
    address = settings.site_url + _address(library, settings.content_dir, file)
    click.echo(
        f"\n  {address}\n\n  {len(library.articles)} articles from {settings.content_dir}, {kept_back} "
        "of them not for readers (yet).\n  A saved file is on the open page at once. Ctrl-C ends it.\n"
    )


def _address(library: Library, content_dir: Path, file: Path | None) -> str:
    if file is None or not file.is_relative_to(content_dir):
        return "/"
    source = file.relative_to(content_dir).as_posix()
    articles = (f"/articles/{item.slug}" for item in library.articles if item.source == source)
    pages = (f"/{item.slug}" for item in library.pages if item.source == source)
    return next(iter([*articles, *pages]), "/")
