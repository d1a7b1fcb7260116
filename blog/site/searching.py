"""The search page, and the description by which browsers offer to search here."""

from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from blog import clock
from blog.articles.asked import LONGEST_QUERY, unquoted
from blog.articles.search import Found, search
from blog.web.context import services
from blog.web.guards import public
from blog.web.interface import current_site

PER_PAGE = 20
#: Nobody reads on for ever; a page number beyond this is a machine's.
LAST_PAGE = 500
#: The same question has the same answer for a minute: whatever stands in front of us may keep it.
KEPT = "public, max-age=60"

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
@public
def page() -> Response:
    """Show the search form, and what was found for `q`; always an answer, whatever was typed."""
    query = " ".join(request.args.get("q", "").split())[:LONGEST_QUERY]
    number = _page_number(request.args.get("page", ""))
    found = Found()
    if query:
        with services().database.reading() as session:
            found = search(session, query, clock.now(), PER_PAGE, (number - 1) * PER_PAGE)
    body = render_template(
        "site/search.html",
        query=query,
        named=unquoted(query),
        found=found,
        number=number,
        pages=-(-found.total // PER_PAGE),
        first=(number - 1) * PER_PAGE + 1,
        address=_address,
    )
    response = Response(body, mimetype="text/html")
    response.headers["X-Robots-Tag"] = "noindex, follow"
    response.headers["Cache-Control"] = KEPT
    return response


@blueprint.get("/opensearch.xml")
@public
def description() -> Response:
    """Describe the search to browsers (OpenSearch 1.1)."""
    links = services().links
    body = render_template("site/opensearch.xml", site=current_site(), links=links)
    return Response(body, mimetype="application/opensearchdescription+xml")


def _page_number(given: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > len(str(LAST_PAGE)):
        return 1
    return min(max(int(given), 1), LAST_PAGE)


def _address(query: str, number: int = 1) -> str:
    values = {"q": query} | ({"page": str(number)} if number > 1 else {})
    return f"/search?{urlencode(values)}"
