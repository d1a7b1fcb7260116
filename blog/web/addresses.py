"""One address per page: without a slash at the end."""

from urllib.parse import quote

from flask import Flask, abort, redirect, request
from werkzeug.wrappers import Response

from blog.web.guards import Guard, current_guard


def install(app: Flask) -> None:
    """Let every route match with and without a final slash, and send readers to the one without.

    A POST is never redirected: mail clients that unsubscribe in one click do not follow (RFC 8058).
    """
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.before_request(_refuse_control_characters)
    app.before_request(_without_final_slash)


def _refuse_control_characters() -> None:
    # No address of ours has one, and PostgreSQL raises at a NUL inside a text it is to compare with.
    if not request.path.isprintable():
        abort(400)


def _without_final_slash() -> Response | None:
    path = request.path
    if request.method not in ("GET", "HEAD") or path == "/" or not path.endswith("/"):
        return None
    if current_guard() is not Guard.PUBLIC:
        return None
    # One slash in front and everything else quoted: two, or a backslash, would name another host.
    target = "/" + quote(path.strip("/"))
    query = request.query_string.decode("ascii", "replace")
    return redirect(f"{target}?{query}" if query else target, 301)
