"""What follows from a report: for the delivery it is about, and for whoever is behind the address.

The same report again changes nothing, nor does one that proves nothing. Functions never commit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.bounces import subjects
from blog.bounces.models import ReturnedMail
from blog.bounces.reports import Door, Kind, Report
from blog.bounces.subjects import Subject
from blog.delivery import returned, suppression
from blog.delivery.models import DeliveryState
from blog.delivery.suppression import Reason
from blog.delivery.upsert import upsert
from blog.subscribers import directory, unsubscribe
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.tokens import Tokens

#: Bounces of these kinds end a subscription when mail came back on so many days within the last thirty.
WINDOW = timedelta(days=30)
ENOUGH = (
    (frozenset({Kind.UNSURE}), 2),
    (frozenset({Kind.UNSURE, Kind.SOFT}), 4),
    (frozenset({Kind.UNSURE, Kind.SOFT, Kind.FULL}), 7),
)
APART = timedelta(hours=24)

log = structlog.get_logger(__name__)


class Fate(StrEnum):
    """What became of a report. *Later*: its mail is being handed over at this moment, so try again."""

    APPLIED = "applied"
    REPEATED = "repeated"
    UNKNOWN = "unknown"
    LATER = "later"


def settle(
    session: Session, tokens: Tokens, report: Report, door: Door, now: datetime, believed: bool = False
) -> Fate:
    """Draw the conclusions from one report; `believed` are those whose sender has shown who they are."""
    subject = subjects.find(session, tokens, report.naming, believed)
    if subject is None:
        return Fate.UNKNOWN
    if subject.delivery and subject.delivery.state == DeliveryState.HANDING_OVER:
        return Fate.LATER
    if not _is_new(session, subject, report.kind, report.code, door, now):
        return Fate.REPEATED
    if report.kind is Kind.COMPLAINT:
        _complaint(session, tokens, subject, report, now)
    else:
        _bounce(session, subject, report, now)
    if report.kind is Kind.OURS:
        log.warning("bounces.about_us", code=report.code, mail=subject.name)
    return Fate.APPLIED


def count(session: Session, subject: Subject, kind: Kind, code: str, door: Door, now: datetime) -> None:
    """Count a failure that is no hard one, once; it ends the subscription if there were enough of them."""
    if not _is_new(session, subject, kind, code, door, now) or _has_confirmed_since(session, subject):
        return
    if _is_enough(session, subject, now):
        suppression.suppress(session, subject.address_hash, Reason.BOUNCED, now)


def _is_new(session: Session, subject: Subject, kind: Kind, code: str, door: Door, now: datetime) -> bool:
    row = {
        "key": f"{subject.name} {kind}",
        "address_hash": subject.address_hash,
        "kind": kind,
        "code": code,
        "door": door,
        "at": now,
    }
    statement = upsert(session, ReturnedMail).on_conflict_do_nothing(index_elements=[ReturnedMail.key])
    return session.scalar(statement.values(row).returning(ReturnedMail.id)) is not None


def _complaint(session: Session, tokens: Tokens, subject: Subject, report: Report, now: datetime) -> None:
    if subject.delivery:
        returned.complained(session, subject.delivery, report.words, now)
    if subject.link:
        # Whoever holds the link may end mail with it, and no more: a digest gets forwarded, link and all.
        act = Act(Method.MAIL, Origin(""), now)
        unsubscribe.unsubscribe(session, tokens, subject.link, act, domain="")
        return
    suppression.suppress(session, subject.address_hash, Reason.COMPLAINED, now)


def _bounce(session: Session, subject: Subject, report: Report, now: datetime) -> None:
    words = f"{report.code} {report.words}".strip() if report.code not in report.words else report.words
    if subject.delivery:
        state = DeliveryState.FAILED if report.kind is Kind.OURS else DeliveryState.BOUNCED
        returned.came_back(session, subject.delivery, state, report.kind, words, now)
    if subject.single:
        returned.single_came_back(session, subject.single, words)
    if report.kind is Kind.OURS or _has_confirmed_since(session, subject):
        return
    if report.kind is Kind.HARD or _is_enough(session, subject, now):
        suppression.suppress(session, subject.address_hash, Reason.BOUNCED, now)


def _has_confirmed_since(session: Session, subject: Subject) -> bool:
    """Whether a button in a later mail to this address was pressed: then the mailbox works after all."""
    person = directory.by_hash(session, subject.address_hash)
    confirmed_at = person.confirmed_at if person else None
    return bool(confirmed_at and subject.sent_at and confirmed_at > subject.sent_at)


def _is_enough(session: Session, subject: Subject, now: datetime) -> bool:
    """Whether mail has come back often enough since one last arrived."""
    since = now - WINDOW
    if subject.delivery:
        since = max(since, returned.last_arrival(session, subject.delivery, now) or since)
    rows = select(ReturnedMail.kind, ReturnedMail.at).where(
        ReturnedMail.address_hash == subject.address_hash,
        ReturnedMail.at > since,
        ReturnedMail.kind.in_([Kind.UNSURE, Kind.SOFT, Kind.FULL]),
    )
    found = [(Kind(kind), at) for kind, at in session.execute(rows.order_by(ReturnedMail.at))]
    return any(_days([at for kind, at in found if kind in kinds]) >= days for kinds, days in ENOUGH)


def _days(moments: Sequence[datetime]) -> int:
    """Return on how many days something happened, each at least 24 hours after the one before."""
    counted: list[datetime] = []
    for moment in moments:
        if not counted or moment - counted[-1] >= APART:
            counted.append(moment)
    return len(counted)
