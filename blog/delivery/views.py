"""The development inbox in the browser; it exists in the demo only."""

from pathlib import Path

from flask import Blueprint, Response, abort, render_template

from blog.delivery import inbox
from blog.delivery.lint import lint
from blog.web.context import services
from blog.web.guards import development

blueprint = Blueprint("inbox", __name__)


@blueprint.get("/dev/inbox")
@development
def index() -> str:
    """List the messages, newest first."""
    return render_template("development/inbox.html", messages=inbox.messages(_folder()))


@blueprint.get("/dev/inbox/<message_id>")
@development
def message(message_id: str) -> str:
    """Show one message: HTML, text, headers, size, and what is wrong with it."""
    found = _message(message_id)
    return render_template("development/message.html", message=found, problems=lint(found.raw))


@blueprint.get("/dev/inbox/<message_id>/html")
@development
def html(message_id: str) -> Response:
    """Return the HTML part, for a sandboxed frame; its links open outside of it."""
    return Response('<base target="_blank">' + _message(message_id).html, mimetype="text/html")


@blueprint.get("/dev/inbox/<message_id>/raw")
@development
def raw(message_id: str) -> Response:
    """Return the message as it came over the wire."""
    return Response(_message(message_id).raw, mimetype="text/plain")


def _message(message_id: str) -> inbox.Received:
    return inbox.message(_folder(), message_id) or abort(404)


def _folder() -> Path:
    return services().settings.inbox_dir or abort(404)
