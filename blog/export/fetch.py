"""One answer of the application, asked for in this process as a server would ask."""

import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from blog.web import page_cache

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = tuple[tuple[str, str], ...]
#: Said by a web server itself, from the files.
ITS_OWN = {
    *("content-type", "content-length", "content-encoding", "etag", "last-modified", "vary", "date"),
}


@dataclass(frozen=True)
class Fetched:
    """An answer."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, or nothing."""
        return next((value for known, value in self.headers if known.lower() == name), "")

    @property
    def content_type(self) -> str:
        """What the body is."""
        return self.header("content-type")

    @property
    def to_be_told(self) -> Headers:
        """The headers that a web server cannot tell from the file."""
        return tuple((name, value) for name, value in self.headers if name.lower() not in ITS_OWN)


def fetch(app: Application, path: str, query: str, host: str, known: dict[str, Any] | None = None) -> Fetched:
    """Ask `app` for a page, handing it what is `known` beside the request."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        # WSGI hands over bytes, in the clothes of latin-1 (PEP 3333).
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host,
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        page_cache.IN_PASSING: True,
        **(known or {}),
    }
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    answer = app(environ, lambda status, headers, *_: begun.append((status, headers)))
    try:
        body = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()
    status, headers = begun[-1]
    return Fetched(int(status.split(" ", 1)[0]), tuple(headers), body)
