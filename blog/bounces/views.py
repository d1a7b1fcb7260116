"""The doors by which providers say what came back; each is shut until its setting opens it."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from flask import Blueprint, Response, abort, current_app, jsonify, request
from sqlalchemy.orm import Session

from blog import clock
from blog.bounces import providers, settling
from blog.bounces.calls import Call, Refused, TooEarly
from blog.bounces.reports import Door, Report
from blog.bounces.settling import Fate
from blog.settings import Settings
from blog.subscribers import shield
from blog.web.context import services
from blog.web.guards import signed

blueprint = Blueprint("bounces", __name__)

LARGEST = 1024 * 1024
REFUSED_AN_HOUR, MOST_AN_HOUR = 60, 20_000
#: The answer to which a provider does not try again.
_FINAL = {Door.MAILGUN: 406}
#: What answers Amazon's addresses; a test answers in Amazon's place.
FETCH = "SNS_FETCH"

log = structlog.get_logger(__name__)


@blueprint.post("/bounces/<door>")
@signed
def take(door: str) -> Response:
    """Take in what a provider says, once it has shown who it is."""
    request.max_content_length = LARGEST
    read = _opened(services().settings, door)
    if read is None:
        abort(404)
    call = Call(request.get_data(), dict(request.headers), clock.now())
    if _is_refused_often(call.now):
        return _answer(429)
    try:
        reports = read(services().settings, call)
        with services().database.transaction() as session:
            return _answer(_settle(session, Door(door), call, reports))
    except Refused as error:
        log.warning("bounces.refused", door=door, why=str(error))
        return _refuse(Door(door), call.now)
    except TooEarly as error:
        log.info("bounces.too_early", door=door, why=str(error))
        return _answer(503)


def _settle(session: Session, door: Door, call: Call, reports: list[Report]) -> int:
    """Settle what a call says; return the status of the answer."""
    key = services().tokens.count_key(f"bounces at {door}")
    if shield.count(session, key, call.now) > MOST_AN_HOUR:
        return 429
    if door is Door.MAILGUN and not _is_first(session, call):
        return 200
    for report in reports:
        fate = settling.settle(session, services().tokens, report, door, call.now, believed=True)
        if fate is Fate.LATER:
            raise TooEarly("its mail is being handed over")
    return 200


Read = Callable[[Settings, Call], list[Report]]


def _opened(settings: Settings, door: str) -> Read | None:
    """Return how to read what is posted at a door; None where there is none, or it is shut."""
    if door == Door.SES and settings.ses_topics:
        return _ses
    if door == Door.POSTMARK and settings.postmark_login.get_secret_value():
        return providers.postmark
    if door == Door.MAILGUN and settings.mailgun_signing_key.get_secret_value():
        return providers.mailgun
    if door == Door.SENDGRID and settings.sendgrid_public_key:
        return providers.sendgrid
    if door == Door.SIGNED and settings.bounce_secrets:
        return providers.signed
    return None


def _ses(settings: Settings, call: Call) -> list[Report]:
    # OpenSSL takes a moment to load, and only some have this door.
    from blog.bounces import certificates, ses

    return ses.ses(settings, call, current_app.config.get(FETCH, certificates.fetch))


def _is_first(session: Session, call: Call) -> bool:
    """Whether Mailgun's token has not been shown before: its signature says nothing of what it carries."""
    token, timestamp = providers.mailgun_token(call)
    at = datetime.fromtimestamp(int(timestamp), UTC)
    return shield.count(session, services().tokens.count_key(f"mailgun {token}"), at) == 1


def _is_refused_often(now: datetime) -> bool:
    with services().database.reading() as session:
        return shield.counted(session, _caller(), now) >= REFUSED_AN_HOUR


def _refuse(door: Door, now: datetime) -> Response:
    with services().database.transaction() as session:
        shield.count(session, _caller(), now)
    return _answer(_FINAL.get(door, 403))


def _caller() -> str:
    network = shield.network_key(request.remote_addr) or "this machine"
    return services().tokens.count_key(f"refused at bounces {network}")


def _answer(status: int) -> Response:
    response = jsonify(status="taken" if status == 200 else "refused" if status in (403, 406) else "later")
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    if status in (429, 503):
        response.headers["Retry-After"] = "60" if status == 503 else "3600"
    return response
