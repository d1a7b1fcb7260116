"""Addresses that hold nothing: moved ones redirect, withdrawn ones are gone, the rest get suggestions."""

from flask import Flask, redirect, render_template, request
from werkzeug.exceptions import Gone, HTTPException, NotFound
from werkzeug.wrappers import Response

from blog import clock
from blog.articles import reading
from blog.web import error_pages
from blog.web.context import services


def install(app: Flask) -> None:
    """Answer every 404 and 410 of `app`."""
    app.register_error_handler(NotFound, _answer)
    app.register_error_handler(Gone, _answer)


def _answer(error: HTTPException) -> Response:
    path = "/" + request.path.strip("/")
    slug = path.rsplit("/", 1)[-1]
    now = clock.now()
    with services().database.reading() as session:
        target = reading.redirect_for(session, path, now)
        suggestions = [] if target else reading.suggestions(session, slug, now)
        gone = path == f"/articles/{slug}" and reading.gone(session, slug, now)
    if target and request.method in ("GET", "HEAD"):
        return redirect(target, 301)
    answer = Gone() if gone else error
    return error_pages.page(answer, render_template(f"errors/{answer.code}.html", suggestions=suggestions))
