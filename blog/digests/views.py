"""The digests on the web: the archive and each issue as it was sent."""

from flask import Blueprint, abort, render_template

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
