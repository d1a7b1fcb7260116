"""What the pages of this room share: how an answer is made, and what is noted of where a form came from."""

import re
from urllib.parse import urlsplit

from flask import Response, abort, current_app, make_response, render_template, request

from blog import clock
from blog.content.values import Site
from blog.delivery.headers import mailbox
from blog.subscribers import consent
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.web.context import services
from blog.web.interface import current_site


def page(template: str, status: int = 200, **values: object) -> Response:
    """Return a page of this room; an answer to a form, or an error, is kept by nobody."""
    response = make_response(render_template(f"subscribers/{template}", **values), status)
    if request.method == "POST" or status != 200:
        response.headers["Cache-Control"] = "no-store"
    return response


def same_for_all(template: str) -> Response:
    """Return the page that answers everybody alike, rendered once for each state of the publication.

    In a flood of sign-ups the same words would be made hundreds of times a second.
    """
    here = site()
    kept: dict[str, tuple[Site, str]] = current_app.extensions.setdefault("blog.answers", {})
    known = kept.get(template)
    # The publication is the same object for as long as nothing in it changes.
    if known is None or known[0] is not here:
        known = kept[template] = (here, render_template(f"subscribers/{template}"))
    response = make_response(known[1])
    response.headers["Cache-Control"] = "no-store"
    return response


def refuse_other_sites() -> None:
    """Refuse a form that a browser says another site has sent; without the header there is nothing to say."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)


def act(method: Method = Method.PAGE) -> Act:
    """Return what was just done, as the record of consent notes it."""
    return Act(method, origin(), clock.now())


def origin() -> Origin:
    """Return where this request came from."""
    here = site()
    wording = consent.wording_of(here.signup_pitch, here.signup_promise)
    return Origin(consent.network_of(request.remote_addr), _page_of_form(), wording)


def mail_domain() -> str:
    """Return the domain that our mails come from."""
    return mailbox(services().settings.sender).address.rpartition("@")[2]


def site() -> Site:
    """Return the publication, as the templates see it."""
    return current_site()


def _page_of_form() -> str:
    """Return the path of our own page that the form was on; anything else is not worth keeping."""
    referrer = request.referrer or ""
    path = urlsplit(referrer).path if referrer.startswith(services().links.to("/")) else ""
    return path if re.fullmatch(r"/[a-z0-9/-]{0,200}", path) and request.path == "/subscribe" else ""
