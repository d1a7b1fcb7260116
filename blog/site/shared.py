"""The page of a shared link: an article before its publication, for whoever was given its address."""

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from blog import clock
from blog.articles import sharing
from blog.articles.sharing import State
from blog.site import metadata
from blog.web.context import services
from blog.web.guards import by_token
from blog.web.interface import current_site

#: What a link that shows nothing answers with.
STATUS = {State.REMOVED: 410, State.OVER: 410, State.INVALID: 404}

blueprint = Blueprint("shared", __name__)


@blueprint.get("/drafts/<token>")
@by_token
def draft(token: str) -> AnyResponse:
    """Show the article, or where it is now, or that there is nothing to see any more."""
    now = clock.now()
    with services().database.reading() as session:
        found = sharing.look(session, services().tokens, token, now)
    if found.article is None:
        return _answer(render_template("site/draft_over.html", state=found.state), STATUS[found.state])
    if found.state is State.PUBLISHED:
        return redirect(url_for("site.article", slug=found.article.slug), 302)
    return _answer(
        render_template(
            "site/draft.html",
            article=found.article,
            until=found.until,
            scheduled=found.article.status == "published" and found.article.published_at > now,
            related=[],
            data=metadata.article(found.article, current_site(), services().links),
        ),
        200,
    )


def _answer(page: str, status: int) -> Response:
    return make_response(page, status)
