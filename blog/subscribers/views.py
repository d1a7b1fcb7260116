"""The pages of signing up and leaving. GET never changes anything."""

from math import ceil

from flask import Blueprint, Response, request
from werkzeug.exceptions import TooManyRequests

from blog.delivery import addresses
from blog.delivery.addresses import masked
from blog.subscribers import choices, confirmation, door, preferences, shield, unsubscribe, work
from blog.subscribers.choices import Choices
from blog.subscribers.confirmation import Confirmation, State
from blog.subscribers.consent import Method
from blog.subscribers.door import Proof
from blog.subscribers.models import Cadence, Status, Subscriber
from blog.subscribers.pages import act, mail_domain, page, refuse_other_sites, same_for_all, site
from blog.subscribers.shield import Verdict
from blog.tokens import BadToken, ExpiredToken
from blog.web.context import services
from blog.web.guards import by_token, public
from blog.web.headers import SCRIPT_POLICY
from blog.web.interface import gettext, speak

blueprint = Blueprint("subscribers", __name__)

LONGEST_SHOWN = 320
RETRY_SECONDS = 3600
CONFIRM_STATUS = {State.EXPIRED: 410, State.INVALID: 404}


@blueprint.get("/subscribe")
@public
def subscribe_page() -> Response:
    """Show the form."""
    return _form("", choices.usual(site()), [], None)


@blueprint.post("/subscribe")
@public
def subscribe() -> Response:
    """Take a request; whatever is known of the address, the answer is the same."""
    refuse_other_sites()
    if request.form.get("website"):
        return same_for_all("sent.html")  # Only a program fills in a field that nobody sees.
    here, form = site(), request.form
    try:
        address = addresses.parse(form.get("email", ""))
        chosen = Choices(
            cadence=choices.cadence(form.get("cadence", ""), here),
            topics=choices.topics(form.getlist("topics"), here),
            timezone=here.timezone,
            language=here.language,
        )
    except ValueError as error:
        typed = form.get("email", "")[:LONGEST_SHOWN]
        return _form(typed, form.get("cadence", ""), form.getlist("topics"), gettext(str(error)))
    answer = work.Answer(form.get("challenge", ""), form.get("answer", ""))
    verdict = door.enter(address, chosen, Method.FORM, Proof(form.get("form", ""), answer))
    if verdict is Verdict.REFUSE:
        raise TooManyRequests(retry_after=RETRY_SECONDS)
    return _one_more_button() if verdict is Verdict.DOUBT else same_for_all("sent.html")


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
        done = confirmation.confirm(session, services().tokens, token, act(), mail_domain())
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
    gone = subscriber is None or subscriber.status in (Status.UNSUBSCRIBED, Status.ERASED)
    return _departure("done" if gone else "ask", subscriber)


@blueprint.post("/unsubscribe/<token>")
@by_token
def leave(token: str) -> Response:
    """Unsubscribe: by the button, or by a mail program with nothing but the address (RFC 8058 §3.1)."""
    if request.form.get("instead") == Cadence.MONTHLY:
        return _less_often(token)
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    pressed = act(Method.ONE_CLICK if one_click else Method.PAGE)
    tokens = services().tokens
    try:
        with services().database.transaction() as session:
            left = unsubscribe.unsubscribe(session, tokens, token, pressed, mail_domain())
    except BadToken:
        return _departure("invalid", None, 404)
    undo = unsubscribe.offered_token(tokens, left, pressed.now) if left else ""
    return _departure("done", left, undo=undo)


@blueprint.get("/restore/<token>")
@by_token
def restore_page(token: str) -> Response:
    """Show the button that takes a departure back."""
    return _restoring(token, press=False)


@blueprint.post("/restore/<token>")
@by_token
def restore(token: str) -> Response:
    """Take a departure back, once."""
    refuse_other_sites()
    return _restoring(token, press=True)


def _less_often(token: str) -> Response:
    if Cadence.MONTHLY not in choices.offered(site()):
        return _departure("invalid", None, 404)
    try:
        with services().database.transaction() as session:
            kept = unsubscribe.less_often(session, services().tokens, token, act())
    except BadToken:
        return _departure("invalid", None, 404)
    return _departure("fewer" if kept else "done", kept)


def _restoring(token: str, press: bool) -> Response:
    database, tokens = services().database, services().tokens
    try:
        if press:
            with database.transaction() as session:
                found = unsubscribe.restore(session, tokens, token, act())
        else:
            with database.reading() as session:
                found = unsubscribe.restorable(session, tokens, token)
    except ExpiredToken:
        return page("restore.html", status=410, state="over", masked="")
    except BadToken:
        return page("restore.html", status=404, state="invalid", masked="")
    state = ("done" if press else "ask") if found else "over"
    if found:
        speak(found.language)
    return page("restore.html", state=state, masked=masked(found.email) if found else "")


def _one_more_button() -> Response:
    """Ask for one more press, with a token that this page alone carries: cached pages have none."""
    form = request.form
    kept = [(name, value) for name in ("email", "cadence", "topics") for value in form.getlist(name)]
    tokens, bits = services().tokens, services().settings.proof_of_work
    if not bits:
        return page("doubt.html", fields=[*kept, ("form", shield.form_token(tokens))], bits=0)
    # Who pressed too early goes on waiting for the same challenge.
    challenge = form.get("challenge", "")
    left = work.patience_left(tokens, challenge)
    if left is None:
        challenge, left = work.new_challenge(tokens), work.PATIENCE
    wait = ceil(left.total_seconds())
    response = page("doubt.html", fields=[*kept, ("challenge", challenge)], bits=bits, wait=wait)
    response.headers["Content-Security-Policy"] = SCRIPT_POLICY
    return response


def _form(email: str, cadence: str, chosen: list[str], error: str | None) -> Response:
    response = page(
        "subscribe.html",
        status=422 if error else 200,
        form_token=shield.form_token(services().tokens),
        email=email,
        cadence=cadence,
        chosen=set(chosen),
        error=error,
        all_topics=list(site().topics),
    )
    # The one public page with something of its own in every copy.
    response.headers["Cache-Control"] = "no-store"
    return response


def _confirmation(found: Confirmation) -> Response:
    subscriber, link = found.subscriber, ""
    if subscriber:
        speak(subscriber.language)
    if subscriber and found.state in (State.CONFIRMED, State.ALREADY):
        link = services().links.preferences(preferences.token_for(services().tokens, subscriber.public_id))
    return page(
        "confirm.html",
        status=CONFIRM_STATUS.get(found.state, 200),
        state=found.state.value,
        masked=masked(subscriber.email) if subscriber else "",
        preferences_url=link,
    )


def _departure(state: str, subscriber: Subscriber | None, status: int = 200, undo: str = "") -> Response:
    if subscriber:
        speak(subscriber.language)
    # No link to the preferences: mail programs and forwarded mails hold this link, and it may do two things.
    return page(
        "unsubscribe.html",
        status=status,
        state=state,
        masked=masked(subscriber.email) if subscriber and subscriber.email else "",
        restore_path=f"/restore/{undo}" if undo else "",
        monthly=Cadence.MONTHLY in choices.offered(site()),
    )
