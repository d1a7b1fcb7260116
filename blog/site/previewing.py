"""What only a preview has: drafts shown and marked, a bar with the problems, pages that reload."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from flask import Blueprint, Flask, Response, render_template, request

from blog import clock
from blog.articles import wording
from blog.content.values import ArticleFile, Library, Problem
from blog.web import headers
from blog.web.guards import development
from blog.web.interface import current_site

FILES = Path(__file__).parent / "preview_files"
KINDS = {"reload.js": "text/javascript", "preview.css": "text/css"}
POLICY = headers.PAGE_POLICY.replace("script-src 'none'", "script-src 'self'")
#: A browser whose tab is gone is noticed when something is written to it.
BEAT_SECONDS = 10.0
MOST_SHOWN = 20


@dataclass
class Stage:
    """What the preview shows now; waiting tabs are told when it changes."""

    library: Library
    _number: int = 0
    _closed: bool = False
    _name: str = field(default_factory=lambda: secrets.token_hex(4))
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def version(self) -> str:
        """What differs from every earlier state, and from every earlier preview."""
        return f"{self._name}-{self._number}"

    def show(self, library: Library) -> None:
        """Put a new state on show."""
        with self._changed:
            self.library = library
            self._number += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of every waiting tab."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def versions(self) -> Iterator[str]:
        """Yield the version now and after every change, as server-sent events."""
        while not self._closed:
            version = self.version
            yield f"data: {version}\n\n"
            with self._changed:
                if not self._closed and self.version == version:
                    self._changed.wait(BEAT_SECONDS)

    def article(self, path: str) -> ArticleFile | None:
        """Return the article at an address, as its file gives it."""
        return next((item for item in self.library.articles if path == f"/articles/{item.slug}"), None)

    def problems(self, path: str) -> tuple[list[Problem], bool]:
        """Return what the page at an address should tell: its own file's problems, or else all."""
        found = self.article(path)
        sources = {found.source} if found else _sources(path, self.library)
        own = [problem for problem in self.library.problems if problem.file in sources]
        return (own, True) if own or found else (self.library.problems, False)


def _sources(path: str, library: Library) -> set[str]:
    """Return the files that an address may come from although they cannot be read now."""
    slug = path.rstrip("/").rpartition("/")[2]
    pages = {page.source for page in library.pages if f"/{page.slug}" == path}
    return pages | {source for source in library.failed if slug and slug in source}


def visible(library: Library, now: datetime, before: Library | None = None) -> Library:
    """Return a library whose drafts, scheduled and expired articles can all be read now.

    What was made visible before, and has not changed, stays the same value with the same date.
    """
    known = {item.source: item for item in before.articles} if before else {}
    return replace(library, articles=[_visible(item, now, known) for item in library.articles])


def _visible(item: ArticleFile, now: datetime, known: Mapping[str, ArticleFile]) -> ArticleFile:
    if not keeps_back(item, now):
        return item
    before = known.get(item.source)
    since = before.published_at if before and item.published_at > now else now
    shown = replace(item, status="published", published_at=min(item.published_at, since), expires_at=None)
    return before if before == shown else shown


def keeps_back(item: ArticleFile, now: datetime) -> bool:
    """Whether readers cannot see an article now."""
    expired = item.expires_at is not None and item.expires_at <= now
    return item.status != "published" or item.published_at > now or expired


def install(app: Flask, stage: Stage) -> None:
    """Make `app` a preview of what is on `stage`; nothing of it exists in any other application."""
    blueprint = Blueprint("preview", __name__)

    @blueprint.get("/preview/changes")
    @development
    def changes() -> Response:
        return Response(stage.versions(), mimetype="text/event-stream")

    @blueprint.get("/preview/<any('reload.js', 'preview.css'):name>")
    @development
    def file(name: str) -> Response:
        return Response((FILES / name).read_bytes(), mimetype=KINDS[name])

    # Runs before the headers of every other page are set, which never overwrite one that is there.
    @app.after_request
    def complete(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        if response.mimetype == "text/html" and not response.is_streamed:
            response.headers["Content-Security-Policy"] = POLICY
            response.set_data(_with_bar(response.get_data(as_text=True), stage))
        return response

    app.register_blueprint(blueprint)


def _with_bar(page: str, stage: Stage) -> str:
    problems, own = stage.problems(request.path)
    bar = render_template(
        "development/preview.html",
        problems=problems,
        own=own,
        mark=_mark(stage.article(request.path)),
        most=MOST_SHOWN,
    )
    head = (
        '<link rel="stylesheet" href="/preview/preview.css">'
        f'<script src="/preview/reload.js" data-version="{stage.version}" defer></script></head>'
    )
    return page.replace("</head>", head, 1).replace("<main ", f"{bar}<main ", 1)


def _mark(item: ArticleFile | None) -> str | None:
    if item is None:
        return None
    now, site = clock.now(), current_site()
    if item.status == "draft":
        return "This is a draft: readers cannot see it."
    if item.published_at > now:
        return f"Scheduled: readers see it from {wording.long_date(item.published_at, site)}."
    if item.expires_at and item.expires_at <= now:
        return f"Expired: readers cannot see it since {wording.long_date(item.expires_at, site)}."
    return "Hidden: readers cannot see it." if item.status == "hidden" else None
