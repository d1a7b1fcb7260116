"""The digests on the web: the archive and each issue as it was sent."""

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug import Response

from blog.digests import reading
from blog.web.context import services
from blog.web.guards import public

blueprint = Blueprint("digests", __name__)


@blueprint.get("/digests")
@public
def index() -> str:
    """List the issues, newest first."""
    with services().database.reading() as session:
        return render_template("digests/index.html", issues=reading.latest(session))


@blueprint.get("/digests/<cadence>/<int:number>")
@public
def numbered(cadence: str, number: int) -> Response:
    """Lead from an issue's name in its mail, written before it has an address, to the issue."""
    with services().database.reading() as session:
        found = reading.numbered(session, cadence, number)
    if found is None:
        abort(404)
    return redirect(url_for("digests.issue", issue_id=found), 301)


@blueprint.get("/digests/<int:issue_id>")
@public
def issue(issue_id: int) -> str:
    """Show an issue as it was sent."""
    with services().database.reading() as session:
        found = reading.issue(session, issue_id)
        if found is None:
            abort(404)
        mended = reading.corrections(session, issue_id)
        return render_template("digests/issue.html", issue=found, corrections=mended)
