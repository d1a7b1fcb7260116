"""The pages behind a mailed link: preferences, and with a fresh link one's data, erasure, another address."""

from collections.abc import Mapping
from datetime import date, datetime

from flask import Blueprint, Response, abort, json, request
from sqlalchemy.orm import Session

from blog import clock, language
from blog.delivery import addresses
from blog.delivery.addresses import masked
from blog.subscribers import account, choices, moving, preferences, privacy, unsubscribe
from blog.subscribers.models import Subscriber
from blog.subscribers.moving import Outcome
from blog.subscribers.pages import act, mail_domain, page, refuse_other_sites, site
from blog.subscribers.preferences import Wishes
from blog.tokens import BadToken, ExpiredToken
from blog.web.context import services
from blog.web.guards import by_token
from blog.web.interface import gettext, speak

blueprint = Blueprint("account", __name__)

EXPIRED, UNKNOWN = 410, 404
LONGEST_DATE = len("2026-12-27")


@blueprint.get("/preferences/<token>")
@by_token
def preferences_page(token: str) -> Response:
    """Show the choices."""
    try:
        with services().database.reading() as session:
            subscriber = preferences.read(session, services().tokens, token)
    except BadToken:
        return _preferences("invalid", None, UNKNOWN)
    return _preferences("form" if subscriber else "inactive", subscriber)


@blueprint.post("/preferences/<token>")
@by_token
def change_preferences(token: str) -> Response:
    """Change the choices, or mail the link that opens the account."""
    refuse_other_sites()
    try:
        if request.form.get("do") == "link":
            return _mail_link(token)
        return _change(token)
    except BadToken:
        return _preferences("invalid", None, UNKNOWN)


@blueprint.get("/account/<token>")
@by_token
def account_page(token: str) -> Response:
    """Show what can be done with a fresh link."""
    try:
        with services().database.reading() as session:
            found = account.look(session, services().tokens, token)
    except ExpiredToken:
        return _account("over", EXPIRED)
    except BadToken:
        return _account("invalid", UNKNOWN)
    return _account("form" if found else "over", subscriber=found)


@blueprint.post("/account/<token>")
@by_token
def use_account(token: str) -> Response:
    """Download, move or erase: the link is spent by it."""
    refuse_other_sites()
    use = _USES.get(request.form.get("do", ""))
    if use is None:
        abort(422)
    try:
        return use(token)
    except ExpiredToken:
        return _account("over", EXPIRED)
    except BadToken:
        return _account("invalid", UNKNOWN)


@blueprint.get("/move/<token>")
@by_token
def move_page(token: str) -> Response:
    """Show the button that confirms a new address."""
    return _moving(token, press=False)


@blueprint.post("/move/<token>")
@by_token
def move(token: str) -> Response:
    """Confirm a new address."""
    return _moving(token, press=True)


def _change(token: str) -> Response:
    here, form = site(), request.form
    database, tokens = services().database, services().tokens
    with database.reading() as session:
        before = preferences.read(session, tokens, token)
    if before is None:
        return _preferences("inactive", None)
    zone, spoken = form.get("timezone", before.timezone), form.get("language")
    try:
        wishes = Wishes(
            cadence=choices.cadence(form.get("cadence", ""), here),
            topics=choices.topics(form.getlist("topics"), here),
            timezone=choices.timezone(zone),
            language=choices.language(spoken, here) if spoken else None,
            paused_until=choices.pause(form.get("paused_until", ""), zone, clock.now()),
        )
    except choices.BadDate as error:
        # All else was good by then, and stays as it was chosen.
        typed = {
            "cadence": form.get("cadence", ""),
            "chosen": set(form.getlist("topics")),
            "timezone": zone,
            "paused_until": form.get("paused_until", "")[:LONGEST_DATE],
            "language": spoken or before.language,
        }
        return _preferences("form", before, 422, str(error), typed)
    except choices.BadChoice:
        abort(422)
    with database.transaction() as session:
        changed = preferences.change(session, tokens, token, wishes, act())
    return _preferences("saved" if changed else "inactive", changed)


def _mail_link(token: str) -> Response:
    with services().database.transaction() as session:
        subscriber = preferences.read(session, services().tokens, token)
        sent = subscriber is not None and account.request_link(session, subscriber, act(), mail_domain())
    state = "inactive" if subscriber is None else "mailed" if sent else "enough"
    return _preferences(state, subscriber)


def _download(token: str) -> Response:
    with services().database.transaction() as session:
        found = _used(session, token)
        data = privacy.export(session, found) if found else None
    if data is None:
        return _account("over")
    response = Response(json.dumps(data, ensure_ascii=False, indent=2), mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


def _erase(token: str) -> Response:
    if request.form.get("sure") != "yes":
        return account_page(token)
    with services().database.transaction() as session:
        found = _used(session, token)
        if found is not None:
            privacy.erase(session, found, act())
    return _account("erased" if found else "over")


def _ask_to_move(token: str) -> Response:
    try:
        address = addresses.parse(request.form.get("email", ""))
    except addresses.BadAddress as error:
        with services().database.reading() as session:
            found = account.look(session, services().tokens, token)
        return _account("form" if found else "over", 422, found, str(error), request.form.get("email", ""))
    with services().database.transaction() as session:
        found = _used(session, token)
        if found is not None:
            moving.request(session, services().tokens, found, address, act(), mail_domain())
    return _account("asked" if found else "over")


def _used(session: Session, token: str) -> Subscriber | None:
    """Spend a link; what follows is said in the language of whose it was."""
    found = account.use(session, services().tokens, token)
    if found is not None:
        speak(found.language)
    return found


_USES = {"download": _download, "erase": _erase, "move": _ask_to_move}


def _moving(token: str, press: bool) -> Response:
    database, tokens = services().database, services().tokens
    try:
        with database.reading() as session:
            outcome, change = moving.look(session, tokens, token)
            person = session.get(Subscriber, change.subscriber_id) if change else None
        if person:
            speak(person.language)
        if press:
            with database.transaction() as session:
                outcome = moving.confirm(session, tokens, token, act(), mail_domain())
    except ExpiredToken:
        return page("move.html", status=EXPIRED, state=Outcome.OVER.value)
    except BadToken:
        return page("move.html", status=UNKNOWN, state="invalid")
    return page("move.html", state=outcome.value)


def _account(
    state: str,
    status: int = 200,
    subscriber: Subscriber | None = None,
    error: str | None = None,
    email: str = "",
) -> Response:
    if subscriber:
        speak(subscriber.language)
    shown = masked(subscriber.email) if subscriber else ""
    said = error and gettext(error)
    return page("account.html", status=status, state=state, masked=shown, error=said, email=email)


def _preferences(
    state: str,
    subscriber: Subscriber | None,
    status: int = 200,
    error: str | None = None,
    typed: Mapping[str, object] | None = None,
) -> Response:
    link = ""
    if subscriber:
        speak(subscriber.language)
        link = services().links.unsubscribe(unsubscribe.token_for(services().tokens, subscriber.public_id))
    now = clock.now()
    until = _day(subscriber, now)
    chosen: dict[str, object] = {
        "cadence": subscriber.cadence if subscriber else "",
        "chosen": set(choices.chosen_topics(subscriber.topics)) if subscriber else set(),
        "timezone": subscriber.timezone if subscriber else "",
        "paused_until": until,
        "language": site().language,
    }
    return page(
        "preferences.html",
        status=status,
        state=state,
        masked=masked(subscriber.email) if subscriber else "",
        all_topics=list(site().topics),
        timezones=choices.timezones(),
        paused_day=language.long_day(site().language, date.fromisoformat(until)) if until else "",
        first_day=choices.first_day(subscriber.timezone, now) if subscriber else "",
        last_day=choices.last_day(subscriber.timezone, now) if subscriber else "",
        error=error and gettext(error),
        languages=[(tag, language.name_of(tag)) for tag in site().languages],
        unsubscribe_url=link,
        **chosen | dict(typed or {}),
    )


def _day(subscriber: Subscriber | None, now: datetime) -> str:
    """Return the day that mail starts again, by the subscriber's own calendar; "" where there is no pause."""
    until = subscriber.paused_until if subscriber else None
    if subscriber is None or until is None or until <= now:
        return ""
    return choices.day_in(until, subscriber.timezone)
