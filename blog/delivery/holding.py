"""Says in words what holds a mailing back, and how to have it go on."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.delivery import pacing, quality, stopping
from blog.delivery.events import Event
from blog.delivery.models import IS_WAITING, Delivery, Mailing, MailingHealth, MailingState, Pace
from blog.delivery.outcomes import SLOWED
from blog.delivery.pace import Limits

#: A paced million waits, and what holds it back is the same for the first thousands.
LOOKED_AT = 10_000


def of(session: Session, mailing_id: int, limits: Limits, now: datetime) -> list[str]:
    """Return a line for each thing that holds a mailing back; none while nothing does."""
    state = session.scalar(select(Mailing.state).where(Mailing.id == mailing_id))
    why = stopping.reason(session, mailing_id, Event.TOO_MANY) if state == MailingState.PAUSED else None
    if why:
        return [
            f"paused by itself: {why}",
            f"find out where those addresses come from, then go on with: blog digest resume {mailing_id}",
        ]
    if state != MailingState.SENDING:
        return []
    return [*_first_share(session, mailing_id), *_paced(session, mailing_id, limits, now)]


def _first_share(session: Session, mailing_id: int) -> list[str]:
    if quality.first_share(session, mailing_id) is None:
        return []
    return ["the first share is on its way; the rest follows by itself unless too much of it comes back"]


def _paced(session: Session, mailing_id: int, limits: Limits, now: datetime) -> list[str]:
    put_off = Delivery.mailing_id == mailing_id, IS_WAITING, Delivery.next_at > now
    next_ones = (
        select(Delivery.reason).where(*put_off).order_by(Delivery.next_at, Delivery.id).limit(LOOKED_AT)
    )
    why = session.scalars(next_ones).all()
    number = sum(reason in (pacing.PACED, SLOWED) for reason in why)
    if not number:
        return []
    of_whom = "the pending" if len(why) < LOOKED_AT else f"the next {LOOKED_AT:,} that wait"
    reasons = [*_asked(limits, now), *(_learned(pace, now) for pace in pacing.slowed(session))]
    return [f"{number:,} of {of_whom} are held back for the pace:", *(f"  {reason}" for reason in reasons)]


def _asked(limits: Limits, now: datetime) -> list[str]:
    quota = limits.warm_up.quota(now) if limits.warm_up else None
    said = [f"BLOG_WARM_UP_FROM: at most {quota:,} today (UTC)"] if quota else []
    rates = {"all together": limits.relay, **limits.domains, "each other domain": limits.each}
    return said + [f"BLOG_PACE: {place} at most {rate}" for place, rate in rates.items() if rate]


def _learned(pace: Pace, now: datetime) -> str:
    shut = pace.blocked_until if pace.blocked_until and pace.blocked_until > now else None
    when = f"left alone until {shut:%H:%M UTC}" if shut else f"at {pace.per_second or 0:.2f} a second"
    return f"{pace.place}: {when}, since it said: {pace.words}"


def gauges(session: Session, now: datetime) -> dict[str, int]:
    """Return how many things hold mail back, by what they are."""
    shut = select(func.count()).select_from(Pace).where(Pace.blocked_until > now)
    slow = select(func.count()).select_from(Pace).where(Pace.per_second.is_not(None))
    first = (
        select(func.count())
        .select_from(MailingHealth)
        .join(Mailing, Mailing.id == MailingHealth.mailing_id)
        .where(MailingHealth.canary_to.is_not(None), Mailing.state == MailingState.SENDING)
    )
    paused = session.scalars(select(Mailing.id).where(Mailing.state == MailingState.PAUSED)).all()
    by_itself = [one for one in paused if stopping.reason(session, one, Event.TOO_MANY)]
    refused = [one for one in paused if stopping.reason(session, one)]
    return {
        "domain shut": session.scalar(shut) or 0,
        "domain slowed": session.scalar(slow) or 0,
        "first share": session.scalar(first) or 0,
        "paused: too many came back": len(by_itself),
        "stopped: the relay refuses us": len(refused),
    }
