"""`blog preview`: the site as it will be, drafts and all, in a browser that follows what is written."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from blog import clock, create_app, migrate
from blog.articles.publishing import relate
from blog.articles.sync import sync
from blog.cli.progress import bar
from blog.cli.serve import refuse_taken
from blog.cli.watching import State, state_of
from blog.content import problems as problem_lines
from blog.content.library import load
from blog.content.site import FILE
from blog.content.values import ArticleFile, Library, Problem
from blog.content.walk import ARTICLES
from blog.content.workshop import Progress
from blog.db import Database
from blog.errors import BlogError, UsageError
from blog.settings import Settings, load_settings
from blog.site import previewing
from blog.site.previewing import Stage
from blog.worker import stop_on_signal

HOST = "127.0.0.1"
LOOK_SECONDS = 0.05
#: Looking takes at most this share of one processor.
SHARE = 0.2
STOP_SECONDS = 2.0


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
    with tempfile.TemporaryDirectory(prefix="blog-preview-") as folder:
        settings = _settings(content_dir, Path(folder), port)
        stop = stop_on_signal()
        seen = state_of(content_dir)  # before it is read for the first time
        app = create_app(settings)
        database = app.extensions["blog"].database
        migrate.upgrade(database)
        with bar("Rendering") as progress:
            library = _shown(database, settings, progress)
        relate(database, clock.now)
        stage = Stage(library)
        previewing.install(app, stage)
        with _served(app, port, stage):
            _welcome(library, settings, file)
            _watch(database, settings, stage, stop, seen)
        database.dispose()
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


def _shown(database: Database, settings: Settings, progress: Progress | None = None) -> Library:
    """Read the folder and make the preview's index that of it; a file that is broken keeps its last page."""
    library = load(settings.content_dir, clock.now(), settings.var_dir / "cache", progress)
    with database.transaction() as session:
        sync(session, previewing.visible(library, clock.now()), clock.now(), force=True)
    return library


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


def _watch(database: Database, settings: Settings, stage: Stage, stop: threading.Event, seen: State) -> None:
    """Show changed files at once, until told to stop."""
    pause = LOOK_SECONDS
    while not stop.wait(pause):
        began = time.perf_counter()
        current = state_of(settings.content_dir)
        pause = max(LOOK_SECONDS, (time.perf_counter() - began) / SHARE)
        if current == seen:
            continue
        seen = current
        try:
            _show_again(database, settings, stage)
        except BlogError as error:
            click.echo(f"{clock.now():%H:%M:%S} {error}", err=True)


def _show_again(database: Database, settings: Settings, stage: Stage) -> None:
    began = time.perf_counter()
    before = set(stage.library.problems)
    library = _shown(database, settings)
    stage.show(library)
    took = (time.perf_counter() - began) * 1000
    relate(database, clock.now)  # of the page that is written, nobody waits for what is under it
    click.echo(f"{clock.now():%H:%M:%S} shown after {took:.0f} ms")
    _print([problem for problem in library.problems if problem not in before])
    if before and not library.problems:
        click.echo("  Nothing is left to mend.")


def _print(problems: list[Problem]) -> None:
    for line in problem_lines.lines(problems):
        click.echo(f"  {line}", err=True)


def _welcome(library: Library, settings: Settings, file: Path | None) -> None:
    _print(library.problems)
    kept_back = sum(item != other for item, other in _pairs(library))
    address = settings.site_url + _address(library, settings.content_dir, file)
    click.echo(
        f"\n  {address}\n\n  {len(library.articles)} articles from {settings.content_dir}, {kept_back} "
        "of them not for readers (yet).\n  A saved file is on the open page at once. Ctrl-C ends it.\n"
    )


def _pairs(library: Library) -> Iterator[tuple[ArticleFile, ArticleFile]]:
    return zip(library.articles, previewing.visible(library, clock.now()).articles, strict=True)


def _address(library: Library, content_dir: Path, file: Path | None) -> str:
    if file is None or not file.is_relative_to(content_dir):
        return "/"
    source = file.relative_to(content_dir).as_posix()
    articles = (f"/articles/{item.slug}" for item in library.articles if item.source == source)
    pages = (f"/{item.slug}" for item in library.pages if item.source == source)
    return next(iter([*articles, *pages]), "/")
