"""Why did somebody get an issue, or why not? The whole story of one person and one issue, in plain words."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.articles.models import Article
from blog.delivery import control, events
from blog.delivery.addresses import BadAddress, parse
from blog.delivery.events import Event
from blog.delivery.models import Delivery, DeliveryEvent, DeliveryState
from blog.delivery.pacing import PACED
from blog.digests import standing, why_not
from blog.digests.models import EditionRow, Issue
from blog.errors import BlogError, UsageError
from blog.subscribers import directory
from blog.subscribers.models import Subscriber
from blog.tokens import Tokens

NOT_PLANNED = "not planned"


@dataclass(frozen=True)
class Moment:
    """Something that happened: to the person, the issue, or the delivery; `words` are the relay's."""

    at: datetime
    what: str
    words: str = ""
    of_the_person: bool = False


@dataclass(frozen=True)
class Answer:
    """The verdict in a sentence, and everything that led to it, oldest first."""

    issue: int
    title: str
    outcome: str
    verdict: str
    message_id: str | None
    articles: tuple[str, ...]
    timeline: tuple[Moment, ...]


def why(session: Session, tokens: Tokens, email: str, issue_id: int) -> Answer:
    """Return the story of an address and an issue; raise `BlogError` if either is unknown."""
    control.state_of(session, issue_id)
    issue = session.get(Issue, issue_id)
    if issue is None:
        raise BlogError(f"mailing {issue_id} is no digest issue")
    person = _person(session, tokens, email)
    mine = Delivery.mailing_id == issue_id, Delivery.recipient_id == person.id
    delivery = session.scalar(select(Delivery).where(*mine))
    record = standing.record(session, person)
    told = [Moment(event.at, standing.in_words(event), of_the_person=True) for event in record]
    told += [Moment(issue.created_at, f"issue {issue_id} was planned for readers who hear {_often(issue)}")]
    happened = events.of(session, issue_id, delivery.id if delivery else -1)
    told += [Moment(event.at, _event(event), event.words) for event in happened]
    if delivery is None:
        verdict = why_not.reason(session, issue, person, record)
        return _answer(issue, NOT_PLANNED, verdict, None, (), told)
    last = _last(delivery)
    if delivery.state not in _WAITING:
        told += [Moment(delivery.updated_at, last, delivery.reply or "")]
    verdict = f"{_YES_OR_NO[DeliveryState(delivery.state)]}: {last}."
    titles = _titles(session, delivery.variant_id)
    return _answer(issue, delivery.state, verdict, delivery.message_id, titles, told)


def _answer(
    issue: Issue,
    outcome: str,
    verdict: str,
    message_id: str | None,
    articles: tuple[str, ...],
    told: list[Moment],
) -> Answer:
    # Of one moment, what happened to the mail comes first: what the record says then follows from it.
    timeline = tuple(sorted(told, key=lambda moment: (moment.at, moment.of_the_person)))
    return Answer(issue.id, issue.title, outcome, verdict, message_id, articles, timeline)


def _person(session: Session, tokens: Tokens, email: str) -> Subscriber:
    try:
        key = parse(email).key
    except BadAddress as error:
        raise UsageError(f"{email!r}: {error}") from None
    found = directory.by_key(session, key) or directory.by_hash(session, tokens.address_hash(key))
    if found is None:
        raise BlogError(f"nobody with the address {email} has ever asked for mail here")
    return found


def _titles(session: Session, variant_id: int) -> tuple[str, ...]:
    edition = session.get(EditionRow, variant_id)
    if edition is None:
        return ()
    rows = session.execute(select(Article.id, Article.title).where(Article.id.in_(edition.articles)))
    titles: dict[int, str] = {row.id: row.title for row in rows}
    return tuple(titles[number] for number in edition.articles if number in titles)


def _often(issue: Issue) -> str:
    return why_not.OFTEN[issue.cadence]


def _event(event: DeliveryEvent) -> str:
    by_hand = event.words == "by hand"
    return {
        Event.APPROVED: "the issue was approved",
        Event.PAUSED: "sending was paused",
        Event.RESUMED: "sending went on",
        Event.CANCELLED: "the issue was cancelled",
        Event.FIRST_DONE: "the first few had been sent, and sending paused to see how it goes",
        Event.STOPPED: "sending was stopped, since the relay refused message after message because of us",
        Event.TOO_MANY: "sending paused by itself, since too many had come back",
        Event.CANARY_WELL: "the first share had gone well, so the rest followed",
        Event.CORRECTED: "the text was mended, for all who had not had it yet",
        Event.DEFERRED: "handed over; the relay put it off, to be tried again later",
        Event.CONNECTION_LOST: "the connection broke before the message was complete, so it was not sent",
        Event.RESENT: "put in the queue once more, with the same Message-ID"
        + (", by an operator" if by_hand else ", since the answer to the first try was lost"),
        Event.UNCERTAIN: "handed over, but the answer was lost: nobody can know whether it was taken",
        Event.HELD: "looked at by an operator and left as it is",
        Event.SETTLED: "settled by an operator: the relay has taken it",
        Event.TAKEN: "the relay took it",
        Event.COMPLAINED: "their mail provider passed on that they reported it as spam",
    }[Event(event.event)]


def _last(delivery: Delivery) -> str:
    """Return where a delivery stands, as the end of the story."""
    state = DeliveryState(delivery.state)
    if state is DeliveryState.SKIPPED:
        return _SKIPPED.get(delivery.reason or "", "skipped before it was handed over")
    if state is DeliveryState.FAILED:
        return _FAILED.get(delivery.reason or "", "the relay refused it for good")
    if state is DeliveryState.BOUNCED:
        return _BOUNCED.get(delivery.reason or "", _STANDS[state])
    if state is DeliveryState.DEFERRED:
        return f"waiting for the next try at {delivery.next_at:%Y-%m-%d %H:%M} UTC"
    if state is DeliveryState.PLANNED and delivery.reason == PACED:
        return f"held back for the pace until {delivery.next_at:%Y-%m-%d %H:%M} UTC"
    return _STANDS[state]


_WAITING = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
_YES_OR_NO = {
    DeliveryState.PLANNED: "Not yet",
    DeliveryState.CLAIMED: "Not yet",
    DeliveryState.HANDING_OVER: "At this moment",
    DeliveryState.DEFERRED: "Not yet",
    DeliveryState.ACCEPTED: "Yes",
    DeliveryState.SKIPPED: "No",
    DeliveryState.BOUNCED: "No",
    DeliveryState.FAILED: "No",
    DeliveryState.UNCERTAIN: "Nobody can know",
}
_STANDS = {
    DeliveryState.PLANNED: "it waits for its turn",
    DeliveryState.CLAIMED: "a worker has taken it and is about to hand it over",
    DeliveryState.HANDING_OVER: "a worker is handing it over",
    DeliveryState.ACCEPTED: "the relay took it",
    DeliveryState.BOUNCED: "the relay said that there is no such mailbox",
    DeliveryState.UNCERTAIN: "the connection or the worker died between the last byte and the relay's answer",
}
_SKIPPED = {
    "unsubscribed": "they had left before it was handed over",
    "bounced": "the address had bounced before it was handed over",
    "complained": "they had reported a mail as spam before it was handed over",
    "erased": "they had asked to be erased before it was handed over",
    control.CANCELLED: "the issue was cancelled before it was their turn",
}
_BOUNCED = {
    "came back: hard": "it came back: there is no such mailbox",
    "came back: full": "it came back: the mailbox is full",
    "came back: soft": "it came back: the mailbox could not be reached for days",
    "came back: unsure": "it came back, without saying why",
}
_FAILED = {
    "came back: ours": "it came back: refused for what it is or where it comes from, not for the address",
    "expired": "the relay put it off so often that it was given up",
    "render": "the message could not be made for this address",
}
