"""One page as bytes: every coding, and the whole list of header lines of each answer, made once."""

import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any

from werkzeug.http import http_date

from blog.web import codings

Headers = list[tuple[str, str]]
#: Status line, header lines, body.
Answer = tuple[str, Headers, list[bytes]]

#: What a page costs beside its bytes: about sixty header lines and the dictionaries.
OVERHEAD = 12_000
#: RFC 9110, section 15.4.5: all that an answer without a body has to say. What else was said with the page
#: still stands (RFC 9111, section 4.3.4), so its ten lines are not made and sent again.
SAID_AGAIN = {"cache-control", "vary", "etag"}
OURS_TO_SET = {"content-length", "content-encoding", "etag", "vary", "last-modified"}
_TAGS = re.compile(r'(?:W/)?("[^"]*")')


class KeptPage:
    """What is sent for one address, whatever a client asks for; never changed after it is made."""

    __slots__ = ("_by_tag", "_full", "_head", "_modified", "bare_only", "size", "until")

    def __init__(
        self,
        body: bytes,
        headers: Iterable[tuple[str, str]],
        tag: str,
        *,
        changed: float | None = None,
        until: float = float("inf"),
        bare_only: bool = False,
    ) -> None:
        own = [(name, value) for name, value in headers if name.lower() not in OURS_TO_SET]
        kind = next((value for name, value in own if name.lower() == "content-type"), "")
        bodies = codings.prepared(body, kind)
        self.until, self.bare_only = until, bare_only
        self._modified = None if changed is None else int(changed)
        if len(bodies) > 1:
            own.append(("Vary", "Accept-Encoding"))
        if self._modified is not None:
            own.append(("Last-Modified", http_date(self._modified)))
        self._full: dict[str, Answer] = {}
        self._head: dict[str, Answer] = {}
        self._by_tag: dict[str, Answer] = {}
        for coding, data in bodies.items():
            self._prepare(coding, data, own, tag)
        self.size = sum(map(len, bodies.values())) + OVERHEAD

    def _prepare(self, coding: str, data: bytes, own: Headers, tag: str) -> None:
        # The same words in another coding are other bytes, and a strong tag must say so (section 8.8.3.3).
        quoted = f'"{tag}"' if coding == codings.IDENTITY else f'"{tag}-{coding}"'
        encoding = [] if coding == codings.IDENTITY else [("Content-Encoding", coding)]
        lines = [*own, *encoding, ("ETag", quoted), ("Content-Length", str(len(data)))]
        short = [line for line in lines if line[0].lower() in SAID_AGAIN]
        self._full[coding] = ("200 OK", lines, [data])
        self._head[coding] = ("200 OK", lines, [])
        not_modified: Answer = ("304 NOT MODIFIED", short, [])
        self._by_tag[quoted] = self._by_tag[f"W/{quoted}"] = not_modified

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Return what this request gets."""
        tags = environ.get("HTTP_IF_NONE_MATCH")
        if tags is not None:
            same = self._by_tag.get(tags) or self._listed(tags, environ)
            if same:
                return same
        elif "HTTP_IF_MODIFIED_SINCE" in environ and self._is_as_old(environ["HTTP_IF_MODIFIED_SINCE"]):
            return self._unchanged(environ)
        known = self._head if environ["REQUEST_METHOD"] == "HEAD" else self._full
        return known[self._coding(environ)]

    def body(self, coding: str) -> bytes | None:
        """Return the bytes in a coding; None where it would not make them smaller."""
        found = self._full.get(coding)
        return found[2][0] if found else None

    def header_lines(self) -> Headers:
        """Return the header lines of the plain answer."""
        return self._full[codings.IDENTITY][1]

    def _coding(self, environ: dict[str, Any]) -> str:
        header = environ.get("HTTP_ACCEPT_ENCODING")
        if header is None:
            return codings.IDENTITY
        for coding in codings.accepted(header):
            if coding in self._full:
                return coding
        return codings.IDENTITY

    def _listed(self, tags: str, environ: dict[str, Any]) -> Answer | None:
        if tags.strip() == "*":
            return self._unchanged(environ)
        # A cache that holds several representations sends the tags of all; the comparison is the weak one.
        return next((self._by_tag[tag] for tag in _TAGS.findall(tags) if tag in self._by_tag), None)

    def _unchanged(self, environ: dict[str, Any]) -> Answer:
        tag = dict(self._full[self._coding(environ)][1])["ETag"]
        return self._by_tag[tag]

    def _is_as_old(self, since: str) -> bool:
        if self._modified is None:
            return False
        try:
            return parsedate_to_datetime(since).timestamp() >= self._modified
        except (ValueError, OverflowError, TypeError):
            return False
