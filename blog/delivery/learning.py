"""What the servers of a domain teach us by refusing: how long to leave them alone, and how slowly to go on.

A refusal shuts the domain for a minute, the next one for two, up to an hour, and halves its pace. Ten minutes
without one raise the pace by half, until it is fast enough to be forgotten. The other domains go on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.delivery.channel import without_addresses
from blog.delivery.models import Delivery, DeliveryState, Mailing, Pace
from blog.delivery.outcomes import EXPIRED
from blog.delivery.states import Result
from blog.delivery.upsert import upsert

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
FIRST_RATE, SLOWEST, FORGOTTEN = 1.0, 1 / 60, 20.0
RECOVERS_AFTER, FASTER = timedelta(minutes=10), 1.5
#: Longer than a server's worst day; a mailing is not worth more (reference: 24 to 48 hours for a newsletter).
GIVE_UP_AFTER = timedelta(days=3)
LONGEST = 500

log = structlog.get_logger(__name__)


def heed(session: Session, results: Sequence[Result], now: datetime) -> list[Result]:
    """Slow down for the domains that ask for it; return the results with what follows for each."""
    slow = [result.delivery_id for result in results if result.slower]
    if not slow:
        return list(results)
    rows = (
        select(Delivery.id, Delivery.address, Mailing.created_at).join(Mailing).where(Delivery.id.in_(slow))
    )
    whose = {
        number: (address.rpartition("@")[2].lower(), began)
        for number, address, began in session.execute(rows)
    }
    words = {whose[result.delivery_id][0]: result.reply for result in results if result.slower}
    paces = {domain: _slow_down(session, domain, words[domain], now) for domain in sorted(words)}
    return [_after(result, paces, whose, now) if result.slower else result for result in results]


def recover(pace: Pace, now: datetime) -> None:
    """Raise the pace of a domain by a half for each ten minutes that it has not refused us."""
    while pace.per_second and pace.blocked_until and now >= pace.blocked_until + RECOVERS_AFTER:
        pace.blocked_until += RECOVERS_AFTER
        pace.refusals, pace.refused_since = 0, None
        pace.per_second *= FASTER
        if pace.per_second >= FORGOTTEN:
            pace.per_second = pace.blocked_until = None
            pace.words = ""


def is_given_up(refused_since: datetime | None, began: datetime, now: datetime) -> bool:
    """Whether a domain has refused a mailing for so long that nothing more is to be expected."""
    return refused_since is not None and max(began, refused_since) < now - GIVE_UP_AFTER


def _after(
    result: Result, paces: dict[str, Pace], whose: dict[int, tuple[str, datetime]], now: datetime
) -> Result:
    domain, began = whose[result.delivery_id]
    pace = paces[domain]
    if is_given_up(pace.refused_since, began, now):
        return result._replace(state=DeliveryState.FAILED, reason=EXPIRED, next_at=None)
    return result._replace(next_at=pace.blocked_until)


def _slow_down(session: Session, domain: str, words: str, now: datetime) -> Pace:
    session.execute(
        upsert(session, Pace).values({"place": domain, "tokens": 0, "at": now}).on_conflict_do_nothing()
    )
    wanted = select(Pace).where(Pace.place == domain).with_for_update()
    pace = session.scalars(wanted.execution_options(populate_existing=True)).one()
    recover(pace, now)
    if pace.per_second and pace.blocked_until and now < pace.blocked_until:
        return pace  # It was on the wire when the first refusal came, and says nothing new.
    pace.refusals += 1
    pace.refused_since = pace.refused_since or now
    pace.blocked_until = now + min(FIRST_PAUSE * 2 ** min(pace.refusals - 1, 10), LONGEST_PAUSE)
    pace.per_second = max((pace.per_second or FIRST_RATE * 2) / 2, SLOWEST)
    pace.tokens, pace.at, pace.planned_to = 0.0, now, None
    pace.words = without_addresses(words)[:LONGEST]
    session.flush()
    log.warning("pace.slowed", domain=domain, seconds=round((pace.blocked_until - now).total_seconds()))
    return pace
