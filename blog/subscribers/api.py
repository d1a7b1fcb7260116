"""Signing up by JSON: the same rules, limits and neutral answer as the form."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from blog.delivery import addresses
from blog.subscribers import choices, door, work
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Method
from blog.subscribers.door import Proof
from blog.subscribers.pages import refuse_other_sites, site
from blog.subscribers.shield import Verdict
from blog.web.context import services
from blog.web.guards import public

blueprint = Blueprint("subscriptions_api", __name__)

KEYS = {"email", "cadence", "topics", "challenge", "answer"}
ACCEPTED = "If this address can be mailed, a mail with a link to confirm is on its way to it."
NOT_JSON = "Send a JSON object, with the header Content-Type: application/json."
UNKNOWN_KEY = "Only these keys are understood: answer, cadence, challenge, email, topics."
WRONG_TYPE = "topics is a list of strings, everything else is a string."
WORK_WANTED = (
    "There are unusually many sign-ups just now. Send this again with the challenge and an answer: a number "
    "for which SHA-256 of `challenge.answer` begins with so many zero bits. Or wait those seconds."
)
TOO_MANY = "Too many sign-ups from this network; try again in an hour."


@blueprint.post("/api/v1/subscriptions")
@public
def create() -> Response:
    """Take a request; whatever is known of the address, the answer is the same."""
    refuse_other_sites()
    body = request.get_json(silent=True) if request.is_json else None
    if not isinstance(body, dict):
        return _answer(415 if not request.is_json else 400, error=NOT_JSON)
    problem = _shape(body)
    if problem:
        return _answer(422, error=problem)
    here = site()
    try:
        address = addresses.parse(body.get("email", ""))
        chosen = Choices(
            cadence=choices.cadence(body.get("cadence", ""), here),
            topics=choices.topics(body.get("topics", []), here),
            timezone=here.timezone,
            language=here.language,
        )
    except ValueError as error:
        return _answer(422, error=str(error))
    answer = work.Answer(body.get("challenge", ""), body.get("answer", ""))
    verdict = door.enter(address, chosen, Method.API, Proof(work=answer))
    if verdict is Verdict.REFUSE:
        return _answer(429, error=TOO_MANY)
    return _in_doubt() if verdict is Verdict.DOUBT else _answer(202, message=ACCEPTED)


def _in_doubt() -> Response:
    bits = services().settings.proof_of_work
    if not bits:
        form = services().links.to("/subscribe")
        return _answer(429, error=f"There are unusually many sign-ups just now; please use the form: {form}")
    challenge = work.new_challenge(services().tokens)
    # RFC 6585, section 3: the same request is welcome once it meets a condition.
    patience = int(work.PATIENCE.total_seconds())
    return _answer(428, error=WORK_WANTED, challenge=challenge, bits=bits, wait_seconds=patience)


def _shape(body: dict[str, Any]) -> str | None:
    """Return what is wrong with the shape of a request, if anything."""
    if set(body) - KEYS:
        return UNKNOWN_KEY
    topics = body.get("topics", [])
    strings = [body[key] for key in KEYS - {"topics"} if key in body]
    strings += topics if isinstance(topics, list) else [None]
    return None if all(isinstance(value, str) for value in strings) else WRONG_TYPE


def _answer(status: int, **words: str | int) -> Response:
    response = jsonify(words)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    if status == 429:
        response.headers["Retry-After"] = "3600"
    return response
