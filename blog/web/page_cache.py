"""Public pages kept as bytes and served ahead of Flask: one look-up by path, then the bytes.

What a public page shows depends on its path and on the edition of the site alone, so it is kept as soon as it
has been made once. A query string that no view reads changes nothing: it neither makes a second copy nor
misses the first. A view that does read it is served from here only when there is none.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

from flask import Request, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blog.web.editions import Edition, Editions
from blog.web.kept_page import KeptPage

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
Fact = TypeVar("Fact")
READ = ("GET", "HEAD")

EDITION, MADE, QUERY_READ = "blog.edition", "blog.page", "blog.query_read"
#: Asks for a page once and for all: it is neither prepared nor kept.
IN_PASSING = "blog.in_passing"
#: A larger body is not worth the room of a hundred pages.
LARGEST = 2 * 1024 * 1024
#: HTTP dates have whole seconds: a page made so soon after a change says no date, and is made again later.
YOUNG_SECONDS = 2.0


class PageCache:
    """WSGI middleware: answers from memory what it can, and keeps what the application marks as a page."""

    def __init__(
        self, app: Application, editions: Editions, most_bytes: int, is_ours: Callable[[str], bool]
    ) -> None:
        self._app = app
        self.editions = editions
        self._most = most_bytes
        self._lock = threading.Lock()
        self._is_ours = lru_cache(64)(is_ours)
        self.hits = self.misses = 0

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if not self._is_ours(environ.get("HTTP_HOST", "")):
            return self._app(environ, start_response)
        edition = self.editions.current()
        if environ["REQUEST_METHOD"] not in READ:
            environ[EDITION] = edition  # an answer to a form is not kept, but the facts of the edition hold
            return self._app(environ, start_response)
        if edition is None:
            return self._make(None, environ, start_response)
        path = environ["PATH_INFO"]
        page = edition.pages.get(path)
        if page is None or (page.bare_only and environ.get("QUERY_STRING")):
            return self._make(edition, environ, start_response)
        if page.until < time.time():
            return self._make(edition, environ, start_response, page)
        edition.touch(path)
        self.hits += 1
        status, headers, body = page.answer(environ)
        # The server may change the list (PEP 3333), so it gets one of its own.
        start_response(status, headers.copy())
        return body

    def _make(
        self,
        edition: Edition | None,
        environ: dict[str, Any],
        start_response: StartResponse,
        former: KeptPage | None = None,
    ) -> Iterable[bytes]:
        """Ask the application; a page that it offers is kept, and answered as if it had been kept before.

        The `former` page is better than an error: the database may have gone meanwhile.
        """
        self.misses += 1
        begun: list[tuple[Any, ...]] = []
        environ[EDITION] = edition
        answer = self._app(environ, lambda *line: begun.append(line))
        page: KeptPage | None = environ.get(MADE)
        if page is None and former is not None and begun[-1][0].startswith("5"):
            page = former
        if page is None:
            start_response(*begun[-1])
            return answer
        close = getattr(answer, "close", None)
        if close:
            close()
        if edition is not None and not (page.bare_only and environ.get("QUERY_STRING")):
            with self._lock:
                edition.keep(environ["PATH_INFO"], page, self._most)
        status, headers, body = page.answer(environ)
        start_response(status, headers.copy())
        return body


def offer(environ: dict[str, Any], response: Response) -> None:
    """Hand a complete public answer to the cache in front of the application, if it may be kept.

    Called where the last header has been set, so that what is kept is what would have been sent.
    """
    if EDITION not in environ or not _may_be_kept(response):
        return
    edition: Edition | None = environ[EDITION]
    now = time.time()
    since = edition.state.since if edition else now
    young = now - since < YOUNG_SECONDS
    said = response.last_modified  # a view may know better: a feed changes when an article in it does
    environ[MADE] = KeptPage(
        response.get_data(),
        response.headers.items(),
        response.get_etag()[0] or _tag(response),
        changed=said.timestamp() if said else None if young else since,
        until=since + YOUNG_SECONDS if young else float("inf"),
        bare_only=bool(environ.get(QUERY_READ)),
    )


def _tag(response: Response) -> str:
    """Return what tells this page from every other: its bytes, and what is said of it.

    A "not modified" repeats hardly any header line, so where one has changed the page has.
    """
    said = hashlib.sha256(response.get_data())
    said.update(repr(sorted(response.headers.items())).encode())
    return said.hexdigest()[:40]


def once(name: str, make: Callable[[], Fact], unless_empty: bool = False) -> Fact:
    """Return what `make` gives, asked once per edition where the request belongs to one.

    What is empty can be left out: of names that strangers make up there is no end.
    """
    edition: Edition | None = request.environ.get(EDITION)
    if edition is None:
        return make()
    if name in edition.facts:
        kept: Fact = edition.facts[name]
        return kept
    made = make()
    if made or not unless_empty:
        edition.facts[name] = made
    return made


def _may_be_kept(response: Response) -> bool:
    if response.status_code != 200 or response.is_streamed or "Set-Cookie" in response.headers:
        return False
    caching = response.cache_control
    if not caching.public or caching.no_store or caching.private:
        return False
    varies = {name.strip().lower() for name in response.headers.get("Vary", "").split(",")}
    return varies <= {"", "accept-encoding"} and len(response.get_data()) <= LARGEST


class QueryNoticed(Request):
    """A request that notices when a view reads the query string: the answer then depends on it too."""

    @property
    def args(self) -> MultiDict[str, str]:
        """The parameters of the query string."""
        self.environ[QUERY_READ] = True
        return super().args

    @property
    def url(self) -> str:
        """The whole address, query string included."""
        self.environ[QUERY_READ] = True
        return super().url

    @property
    def full_path(self) -> str:
        """The path with the query string."""
        self.environ[QUERY_READ] = True
        return super().full_path
