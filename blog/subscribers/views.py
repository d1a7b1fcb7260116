"""The pages of this room: sign up, confirm, unsubscribe, preferences. GET never changes anything."""

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, render_template, request

from blog import clock
from blog.content.values import Site
from blog.delivery import addresses
from blog.delivery.addresses import masked
from blog.delivery.headers import mailbox
from blog.subscribers import choices, confirmation, consent, preferences, signup, unsubscribe
from blog.subscribers.choices import Choices, chosen_topics
from blog.subscribers.confirmation import Confirmation, State
from blog.subscribers.consent import Method, Origin
from blog.subscribers.models import Status, Subscriber
from blog.tokens import BadToken
from blog.web.context import services
from blog.web.guards import by_token, public

blueprint = Blueprint("subscribers", __name__)

LONGEST_SHOWN = 320
CONFIRM_STATUS = {State.EXPIRED: 410, State.INVALID: 404}


@blueprint.get("/subscribe")
@public
def subscribe_page() -> Response:
    """Show the form."""
    return _form("", choices.usual(_site()), [], None)


@blueprint.post("/subscribe")
@public
def subscribe() -> Response:
    """Take a request; whatever is known of the address, the answer is the same."""
    _refuse_other_sites()
    if request.form.get("website"):
        return _page("sent.html")  # Only a program fills in a field that nobody sees.
    site, form = _site(), request.form
    try:
        address = addresses.parse(form.get("email", ""))
        chosen = Choices(
            cadence=choices.cadence(form.get("cadence", ""), site),
            topics=choices.topics(form.getlist("topics"), site),
            timezone=site.timezone,
            language=site.language,
        )
    except ValueError as error:
        typed = form.get("email", "")[:LONGEST_SHOWN]
        return _form(typed, form.get("cadence", ""), form.getlist("topics"), str(error))
    source = signup.Source(Method.FORM, _origin(), _mail_domain())
    with services().database.transaction() as session:
        signup.sign_up(session, address, chosen, source, services().tokens, clock.now())
    return _page("sent.html")


@blueprint.get("/confirm/<token>")
@by_token
def confirm_page(token: str) -> Response:
    """Show the button."""
    with services().database.reading() as session:
        found = confirmation.look(session, services().tokens, token)
    return _confirmation(found)


@blueprint.post("/confirm/<token>")
@by_token
def confirm(token: str) -> Response:
    """Confirm."""
    with services().database.transaction() as session:
        done = confirmation.confirm(session, services().tokens, token, _origin(), clock.now())
    return _confirmation(done)


@blueprint.get("/unsubscribe/<token>")
@by_token
def unsubscribe_page(token: str) -> Response:
    """Show the button."""
    try:
        with services().database.reading() as session:
            subscriber = unsubscribe.look(session, services().tokens, token)
    except BadToken:
        return _departure("invalid", None, 404)
    gone = subscriber is None or subscriber.status == Status.UNSUBSCRIBED
    return _departure("done" if gone else "ask", subscriber)


@blueprint.post("/unsubscribe/<token>")
@by_token
def leave(token: str) -> Response:
    """Unsubscribe: by the button, or by a mail program with nothing but the address (RFC 8058 §3.1)."""
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    method = Method.ONE_CLICK if one_click else Method.PAGE
    try:
        with services().database.transaction() as session:
            left = unsubscribe.unsubscribe(session, services().tokens, token, method, _origin(), clock.now())
    except BadToken:
        return _departure("invalid", None, 404)
    return _departure("done", left)


@blueprint.get("/preferences/<token>")
@by_token
def preferences_page(token: str) -> Response:
    """Show the choices."""
    try:
        with services().database.reading() as session:
            subscriber = preferences.read(session, services().tokens, token)
    except BadToken:
        return _preferences("invalid", None, 404)
    return _preferences("form" if subscriber else "inactive", subscriber)


@blueprint.post("/preferences/<token>")
@by_token
def change_preferences(token: str) -> Response:
    """Change the choices."""
    _refuse_other_sites()
    site, form = _site(), request.form
    try:
        cadence = choices.cadence(form.get("cadence", ""), site)
        topics = choices.topics(form.getlist("topics"), site)
    except choices.BadChoice:
        abort(422)
    try:
        with services().database.transaction() as session:
            changed = preferences.change(
                session, services().tokens, token, cadence, topics, _origin(), clock.now()
            )
    except BadToken:
        return _preferences("invalid", None, 404)
    return _preferences("saved" if changed else "inactive", changed)


def _form(email: str, cadence: str, chosen: list[str], error: str | None) -> Response:
    return _page(
        "subscribe.html",
        status=422 if error else 200,
        email=email,
        cadence=cadence,
        chosen=set(chosen),
        error=error,
        all_topics=list(_site().topics),
    )


def _confirmation(found: Confirmation) -> Response:
    subscriber, link = found.subscriber, ""
    if subscriber and found.state in (State.CONFIRMED, State.ALREADY):
        link = services().links.preferences(preferences.token_for(services().tokens, subscriber.public_id))
    return _page(
        "confirm.html",
        status=CONFIRM_STATUS.get(found.state, 200),
        state=found.state.value,
        masked=masked(subscriber.email) if subscriber else "",
        preferences_url=link,
    )


def _departure(state: str, subscriber: Subscriber | None, status: int = 200) -> Response:
    # No link to the preferences: mail programs and forwarded mails hold this link, and it may do one thing.
    shown = masked(subscriber.email) if subscriber else ""
    return _page("unsubscribe.html", status=status, state=state, masked=shown, preferences_url="")


def _preferences(state: str, subscriber: Subscriber | None, status: int = 200) -> Response:
    link = ""
    if subscriber:
        link = services().links.unsubscribe(unsubscribe.token_for(services().tokens, subscriber.public_id))
    return _page(
        "preferences.html",
        status=status,
        state=state,
        masked=masked(subscriber.email) if subscriber else "",
        cadence=subscriber.cadence if subscriber else "",
        chosen=set(chosen_topics(subscriber.topics)) if subscriber else set(),
        all_topics=list(_site().topics),
        unsubscribe_url=link,
    )


def _page(template: str, status: int = 200, **values: object) -> Response:
    response = make_response(render_template(f"subscribers/{template}", **values), status)
    if request.method == "POST" or status != 200:
        response.headers["Cache-Control"] = "no-store"
    return response


def _refuse_other_sites() -> None:
    """Refuse a form that a browser says another site has sent; without the header there is nothing to say."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)


def _origin() -> Origin:
    site = _site()
    wording = consent.wording_of(site.signup_pitch, site.signup_promise)
    return Origin(consent.network_of(request.remote_addr), _page_of_form(), wording)


def _page_of_form() -> str:
    """Return the path of our own page that the form was on; anything else is not worth keeping."""
    referrer = request.referrer or ""
    path = urlsplit(referrer).path if referrer.startswith(services().links.to("/")) else ""
    return path if re.fullmatch(r"/[a-z0-9/-]{0,200}", path) and request.path == "/subscribe" else ""


def _mail_domain() -> str:
    return mailbox(services().settings.sender).address.rpartition("@")[2]


def _site() -> Site:
    return services().site()
