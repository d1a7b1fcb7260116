"""One answer of the application, asked for in this process."""

import io
import sys
from dataclasses import dataclass
from typing import Any

from flask import Flask

from blog.web import page_cache

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


def fetch(app: Flask, path: str, query: str, host: str, known: dict[str, Any] | None = None) -> Fetched:
    """Ask `app` for a page, handing it what is `known` beside the request.

    The page cache, and what else stands before the views, is for clients who ask again.
    """
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
        page_cache.EDITION: app.extensions["page_cache"].editions.current(),
        **(known or {}),
    }
    with app.request_context(environ):
        try:
            response = app.full_dispatch_request()
        except Exception as error:  # noqa: BLE001 - as Flask does it: a page that says so, and a line logged
            response = app.handle_exception(error)
        # An address is only spelled out for those who ask by HTTP.
        headers = response.get_wsgi_headers(environ) if response.location else response.headers
        body = b"".join(response.iter_encoded())
        response.close()
    return Fetched(response.status_code, tuple(headers), body)
