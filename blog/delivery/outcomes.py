"""What a relay's words mean for a delivery: whose fault it is, and what happens next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from blog.delivery import meanings
from blog.delivery.meanings import Meaning, Part
from blog.delivery.models import DeliveryState
from blog.delivery.replies import Asked, Lost, Reply
from blog.delivery.states import Claim, Policy, Result
from blog.delivery.stopping import REFUSED_US

#: RFC 5321 §4.5.4.1 asks for at least 30 minutes between tries; greylisting usually opens after 15.
RETRY_DELAYS = tuple(timedelta(minutes=m) for m in (15, 45, 120, 240, 480))
GIVE_UP_AFTER = 12
#: Back in the queue behind the others of the domain; how long it really waits is the matter of the pace.
SLOWED_DELAY = timedelta(minutes=1)
SLOWED, EXPIRED = "slowed", "expired"
#: A connection that broke says nothing about the recipient: the first tries follow at once.
RECONNECT_DELAYS = (
    timedelta(0),
    timedelta(0),
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=15),
)


@dataclass(frozen=True)
class Trouble:
    """The relay itself, or our standing with it, is the trouble: the recipient is untouched."""

    why: str


def of_content(claim: Claim, answer: Reply | Lost, policy: Policy, now: datetime) -> Result:
    """Return what the answer to the final dot, or its absence, means."""
    if isinstance(answer, Lost):
        return _after_dot(claim, answer, policy, now) if answer.complete else _broken(claim, answer.why, now)
    if answer.code // 100 == 2:
        return Result(claim.id, DeliveryState.ACCEPTED, reply=str(answer))
    return _not_taken(claim, Part.CONTENT, answer, now)


def of_envelope(claim: Claim, asked: Asked | Lost, now: datetime) -> Result | Trouble | None:
    """Return what the answers to an envelope mean; None: the relay waits for the content."""
    if isinstance(asked, Lost):
        return Trouble(asked.why)
    if asked.ready:
        return None
    for part, reply in ((None, asked.mail), (Part.RECIPIENT, asked.rcpt), (Part.CONTENT, asked.data)):
        if reply.code == 421 and _is_of_relay(part, reply):
            return Trouble(str(reply))
    if asked.mail.code // 100 != 2:
        return Trouble(f"sender refused: {asked.mail}")
    if asked.rcpt.code // 100 in (4, 5):
        return _not_taken(claim, Part.RECIPIENT, asked.rcpt, now)
    return _not_taken(claim, Part.CONTENT, asked.data, now)


def _is_of_relay(part: Part | None, reply: Reply) -> bool:
    """Whether all must wait: before a recipient is named, nothing can be about their domain."""
    return part is None or meanings.of(part, reply.code, reply.text) is Meaning.RELAY


def _not_taken(claim: Claim, part: Part, reply: Reply, now: datetime) -> Result:
    meaning = meanings.of(part, reply.code, reply.text)
    if meaning is Meaning.SLOWER:
        later = now + SLOWED_DELAY
        return Result(claim.id, DeliveryState.DEFERRED, SLOWED, str(reply), next_at=later, slower=True)
    if meaning in (Meaning.LATER, Meaning.RELAY):
        return _deferred(claim, reply, now)
    if meaning is Meaning.BAD_ADDRESS:
        return Result(claim.id, DeliveryState.BOUNCED, "address refused", str(reply), bad_address=True)
    if meaning is Meaning.OURS:
        return Result(claim.id, DeliveryState.FAILED, REFUSED_US, str(reply), our_fault=True)
    return Result(claim.id, DeliveryState.FAILED, "refused", str(reply))


def _deferred(claim: Claim, reply: Reply, now: datetime) -> Result:
    if claim.attempts >= GIVE_UP_AFTER:
        return Result(claim.id, DeliveryState.FAILED, EXPIRED, str(reply), gave_up=True)
    delay = RETRY_DELAYS[min(claim.attempts, len(RETRY_DELAYS) - 1)]
    return Result(claim.id, DeliveryState.DEFERRED, "deferred", str(reply), next_at=now + delay)


def _broken(claim: Claim, why: str, now: datetime) -> Result:
    delay = RECONNECT_DELAYS[min(claim.attempts, len(RECONNECT_DELAYS) - 1)]
    return Result(claim.id, DeliveryState.PLANNED, "connection lost", why, next_at=now + delay)


def _after_dot(claim: Claim, lost: Lost, policy: Policy, now: datetime) -> Result:
    if policy is Policy.RESEND and claim.unknowns == 0:
        return Result(claim.id, DeliveryState.PLANNED, "resent", lost.why, next_at=now, unknown=True)
    return Result(claim.id, DeliveryState.UNCERTAIN, "unknown", lost.why, unknown=True)
