"""Whether a mailing may go on: a small share of a large one goes first, and too many bounces pause any.

Asked at each claim, so it holds for all workers within a claim's length. The bars are rates and
numbers: two bounces among three friends are no reason to stop.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from blog.delivery import balance, control, events, health, stopping
from blog.delivery.events import Event
from blog.delivery.models import IS_IN_HAND, IS_WAITING, Delivery, Mailing, MailingHealth, MailingState
from blog.delivery.pace import HORIZON
from blog.delivery.states import LONG_AGO, PLANNED
from blog.delivery.upsert import upsert
from blog.pace_settings import PaceSettings

CANARY_FROM = 5000
FEWEST_BOUNCES, FEWEST_COMPLAINTS = 50, 5
#: In a first share fewer say as much, for it was to be the best of the list.
FEWEST_IN_CANARY, COMPLAINTS_IN_CANARY = 5, 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Bars:
    """The shares, in a hundred, at which a mailing pauses, and the share that goes first; 0 = none."""

    bounces: float = 0.0
    complaints: float = 0.0
    canary: float = 0.0
    canary_wait: timedelta = timedelta(0)
    canary_from: int = CANARY_FROM


def bars(settings: PaceSettings) -> Bars:
    """Return the bars that the settings ask for."""
    wait = timedelta(minutes=settings.canary_minutes)
    return Bars(settings.pause_at_bounces, settings.pause_at_complaints, settings.canary_percent, wait)


def may_go_on(session: Session, mailing_id: int, bars: Bars, now: datetime) -> bool:
    """Return whether a mailing that is being sent may go on; pause it if it does badly."""
    found = session.get(MailingHealth, mailing_id, populate_existing=True) or _begin(
        session, mailing_id, bars, now
    )
    if found.canary_to is not None and _is_through(session, found, now):
        _judge_canary(session, found, bars, now)
    elif _is_to_be_looked_at(found):
        _judge(session, found, bars, now, FEWEST_BOUNCES, FEWEST_COMPLAINTS)
    return control.state_of(session, mailing_id) == MailingState.SENDING


def first_share(session: Session, mailing_id: int) -> MailingHealth | None:
    """Return the health of a mailing of which only the first share goes for now; None for any other."""
    found = session.get(MailingHealth, mailing_id)
    return found if found and found.canary_to is not None else None


def is_about_to_be_judged(session: Session, mailing_id: int) -> bool:
    """Whether the first share is on the wire, so that the rest may follow in a moment."""
    found = first_share(session, mailing_id)
    return found is not None and found.canary_since is None


def _is_to_be_looked_at(found: MailingHealth) -> bool:
    enough = found.bounced >= FEWEST_BOUNCES or found.complained >= FEWEST_COMPLAINTS
    return enough and found.bounced + found.complained >= found.look_at


def _begin(session: Session, mailing_id: int, bars: Bars, now: datetime) -> MailingHealth:
    new = upsert(session, MailingHealth).values(mailing_id=mailing_id).on_conflict_do_nothing()
    is_ours = session.scalar(new.returning(MailingHealth.mailing_id)) is not None
    found = session.get_one(MailingHealth, mailing_id, populate_existing=True)
    if is_ours and bars.canary:
        _choose_canary(session, found, bars, now)
    return found


def _choose_canary(session: Session, found: MailingHealth, bars: Bars, now: datetime) -> None:
    """Have the first share go first, if the mailing is large, new, and due for everybody at once."""
    mailing = session.get_one(Mailing, found.mailing_id, populate_existing=True)
    counts = balance.states(session, mailing.id)
    total = sum(counts.values())
    if total < bars.canary_from or counts.get(PLANNED) != total or mailing.first_to is not None:
        return
    waiting = Delivery.mailing_id == mailing.id, IS_WAITING, Delivery.next_at > LONG_AGO
    if session.scalar(select(exists().where(*waiting, Delivery.next_at > now))):
        return
    # In the order of the claims, which an index keeps: looking for the share reads no more than the share.
    order = select(Delivery.id).where(*waiting).order_by(Delivery.next_at, Delivery.id)
    share = max(1, round(total * bars.canary / 100))
    mailing.first_to = found.canary_to = session.scalar(order.offset(share - 1).limit(1))
    session.flush()


def _is_through(session: Session, found: MailingHealth, now: datetime) -> bool:
    """Whether the first share has been tried, but for what was put off for long, and none is in hand."""
    waiting = exists().where(
        Delivery.mailing_id == found.mailing_id,
        IS_WAITING,
        Delivery.next_at > LONG_AGO,
        Delivery.next_at < now + HORIZON,
        Delivery.state == PLANNED,
        Delivery.id <= found.canary_to,
    )
    in_hand = exists().where(IS_IN_HAND, Delivery.slot > "", Delivery.mailing_id == found.mailing_id)
    return not session.scalar(select(waiting)) and not session.scalar(select(in_hand))


def _judge_canary(session: Session, found: MailingHealth, bars: Bars, now: datetime) -> None:
    if found.canary_since is None:
        found.canary_since = now
        session.flush()
    if now < found.canary_since + bars.canary_wait:
        return
    found.canary_to = found.canary_since = None
    session.flush()
    if _judge(session, found, bars, now, FEWEST_IN_CANARY, COMPLAINTS_IN_CANARY):
        return
    session.get_one(Mailing, found.mailing_id).first_to = None
    events.note(session, found.mailing_id, Event.CANARY_WELL, now)
    log.info("digest.first_share_went_well", issue=found.mailing_id)


def _judge(
    session: Session, found: MailingHealth, bars: Bars, now: datetime, fewest: int, fewest_complaints: int
) -> bool:
    """Pause the mailing if too many came back; return whether. Looks again when a tenth more have."""
    tried = max(1, health.settled(session, found.mailing_id) - found.settled_before)
    bad = found.bounced + found.complained
    found.look_at = bad + max(1, bad // 10)
    session.flush()
    for number, least, bar, what in (
        (found.bounced, fewest, bars.bounces, "bounced"),
        (found.complained, fewest_complaints, bars.complaints, "were reported as spam"),
    ):
        share = 100 * number / tried
        if bar and number >= least and share >= bar:
            why = f"{number:,} of {tried:,} {what}, {share:.1f} in a hundred; the bar is {bar:g}"
            return stopping.stop(session, found.mailing_id, why, now, Event.TOO_MANY)
    return False
