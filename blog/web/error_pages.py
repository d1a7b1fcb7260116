"""What a reader sees when a request cannot be answered; never a traceback, never a word the reader typed."""

import secrets
from pathlib import Path
from string import Template
from typing import cast

import structlog
from flask import Flask, Response, current_app, g, render_template
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from blog import language, trouble
from blog.content.site import cached_site
from blog.errors import Busy
from blog.language import N_
from blog.templating import folders
from blog.web import interface
from blog.web.context import services
from blog.web.static_files import StaticTree

RETRY_SECONDS = 30

#: Heading and sentence by status; the first is for everything without words of its own.
WORDS = {
    400: (
        N_("This request could not be read"),
        N_("Something in the address or the form is not as expected."),
    ),
    403: (N_("This form came from somewhere else"), N_("Please use the form on our own page.")),
    405: (N_("This address does not take that"), N_("It can be read, but nothing can be sent to it.")),
    413: (N_("That is too much at once"), N_("The form was larger than this site takes.")),
    414: (N_("That address is too long"), N_("Most likely it was copied together with something else.")),
    422: (N_("That choice is not on offer"), N_("Please choose from what the page shows.")),
    415: (N_("This kind of form is not understood"), N_("Please use the form on the page.")),
}


#: Pages that need neither a database nor a template: they are shown when one of those is what broke.
STANDALONE = {
    "500": (
        N_("Something broke on our side"),
        N_(
            "Nothing you did was wrong. The fault has been written down under the reference "
            "<code>%(reference)s</code>; name it if you write to us. Please try again in a minute."
        ),
    ),
    "503": (
        N_("Back in a moment"),
        N_(
            "The site is busy with itself and could not answer. If you sent a form, it was not stored: "
            "please send it again in half a minute."
        ),
    ),
}
BACK = N_("Back to the articles")

log = structlog.get_logger("blog.web")


def install(app: Flask, own_templates: Path | None = None) -> None:
    """Answer every error of `app` with a page; those of our own faults are read now."""
    app.extensions["standalone"] = {name: _read(name, own_templates) for name in STANDALONE}
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
    title, text = map(interface.gettext, WORDS.get(error.code, WORDS[400]))
    return page(error, render_template("errors/refused.html", title=title, text=text))


def _broken(error: InternalServerError) -> Response:
    reference = g.get("reference") or new_reference()
    return page(error, _standalone("500", reference=reference))


def _unavailable(cause: Exception) -> Response:
    if not isinstance(cause, HTTPException):
        known = trouble.of(cause)
        log.warning("unavailable", why=known.name if known else type(cause).__name__)
    error = ServiceUnavailable(retry_after=RETRY_SECONDS)
    return page(error, _standalone("503"))


def _standalone(name: str, reference: str = "") -> str:
    pages = cast(dict[str, Template], current_app.extensions["standalone"])
    tree = cast(StaticTree, current_app.extensions["static"])
    # By the file alone, and without the person: the database may be what broke.
    tag = cached_site(services().settings.content_dir).language
    heading, text = STANDALONE[name]
    return pages[name].safe_substitute(
        language=tag,
        direction=language.direction(tag),
        heading=language.say(tag, heading),
        text=language.say(tag, text, reference=reference),
        back=language.say(tag, BACK),
        reference=reference,
        stylesheet=tree.address("site.css"),
    )


def _read(name: str, own: Path | None) -> Template:
    files = (folder / "errors" / f"{name}.html" for folder in folders(own))
    return Template(next(file for file in files if file.is_file()).read_text(encoding="utf-8"))
