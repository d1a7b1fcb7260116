"""What the site says when it refuses, fails or has doubts."""

from flask import Flask, Response, abort

from blog.subscribers import work
from blog.subscribers.pages import page
from blog.subscribers.views import SCRIPT_POLICY
from blog.web.context import services
from blog.web.guards import public
from tests.browser.gallery.picture import Picture

REFUSED = {
    400: "unreadable",
    403: "foreign-form",
    405: "not-taken",
    410: "withdrawn-and-nothing-like-it",
    413: "too-large",
    414: "too-long",
    415: "not-understood",
    422: "not-on-offer",
    429: "too-many",
    500: "broken",
    503: "busy",
}
#: The one page with a script: what it says changes as that works.
FLOOD = "one-more-click-in-a-flood"
#: So hard that nobody who looks at the page sees it done.
BITS = 32


def pictures(app: Flask) -> list[Picture]:
    """Give `app` a view for each refusal; return where they are."""

    def refused(code: int) -> str:
        return abort(code)

    app.add_url_rule("/refused/<int:code>", "refused", public(refused))
    app.add_url_rule("/refused/doubt", "doubted", public(lambda: page("doubt.html", fields=[], bits=0)))
    app.add_url_rule("/refused/flood", "flooded", public(_flooded))
    return [
        *(Picture(name, f"/refused/{code}") for code, name in REFUSED.items()),
        Picture("one-more-click", "/refused/doubt"),
        Picture(FLOOD, "/refused/flood", unsteady=True),
    ]


def _flooded() -> Response:
    fields = [("email", "ada@example.org"), ("challenge", work.new_challenge(services().tokens))]
    response = page("doubt.html", fields=fields, bits=BITS, wait=5)
    response.headers["Content-Security-Policy"] = SCRIPT_POLICY
    return response
