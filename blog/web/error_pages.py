"""What a reader sees when a request cannot be answered; never a traceback, never a word the reader typed."""

import secrets

from flask import Flask, Response, current_app, g, render_template
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from blog.errors import Busy

RETRY_SECONDS = 30

#: Heading and sentence by status; the first is for everything without words of its own.
WORDS = {
    400: ("This request could not be read", "Something in the address or the form is not as expected."),
    403: ("This form came from somewhere else", "Please use the form on our own page."),
    405: ("This address does not take that", "It can be read, but nothing can be sent to it."),
    413: ("That is too much at once", "The form was larger than this site takes."),
    414: ("That address is too long", "Most likely it was copied together with something else."),
    422: ("That choice is not on offer", "Please choose from what the page shows."),
    415: ("This kind of form is not understood", "Please use the form on the page."),
}


def install(app: Flask) -> None:
    """Answer every error of `app` with a page."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(InternalServerError, _broken)
    app.register_error_handler(ServiceUnavailable, _unavailable)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(Busy, _unavailable)


def new_reference() -> str:
    """Make the code that joins the page a reader saw with the line in the log."""
    code = secrets.token_hex(4)
    g.reference = f"{code[:4]}-{code[4:]}"
    return str(g.reference)


def page(error: HTTPException, body: str) -> Response:
    """Return the error's own answer (status, `Allow`, `Retry-After`) with `body` as its page."""
    response = Response(body, error.code)
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _refused(error: HTTPException) -> HTTPException | Response:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    if error.code == 429:
        return page(error, render_template("errors/429.html"))
    title, text = WORDS.get(error.code, WORDS[400])
    return page(error, render_template("errors/refused.html", title=title, text=text))


def _broken(error: InternalServerError) -> Response:
    reference = g.get("reference") or new_reference()
    return page(error, _standalone("errors/500.html", reference=reference))


def _unavailable(_: Exception) -> Response:
    error = ServiceUnavailable(retry_after=RETRY_SECONDS)
    return page(error, _standalone("errors/503.html"))


def _standalone(template: str, **values: str) -> str:
    # Past `render_template`: the page globals need the database and the content folder, and they may be what
    # broke.
    return current_app.jinja_env.get_template(template).render(**values)
