"""From bytes to conclusions: a message is read outside of any transaction, and settled in its own."""

from datetime import datetime

from blog.bounces import leaving, reading, settling
from blog.bounces.reports import Door, Tally
from blog.bounces.settling import Fate
from blog.db import Database
from blog.tokens import Tokens

#: How the tally calls a mail that ended a subscription.
LEFT = "left"


def take_mail(
    database: Database, tokens: Tokens, raw: bytes, door: Door, now: datetime, tally: Tally
) -> Fate | None:
    """Take one message in; return what became of its report, or None if it holds none."""
    tally.messages += 1
    report = reading.read(raw)
    if report is None:
        if _leaves(database, tokens, raw, now):
            tally.applied += 1
            tally.kinds[LEFT] = tally.kinds.get(LEFT, 0) + 1
            return Fate.APPLIED
        tally.no_report += 1
        return None
    with database.transaction() as session:
        fate = settling.settle(session, tokens, report, door, now)
    setattr(tally, fate, getattr(tally, fate) + 1)
    if fate is Fate.APPLIED:
        tally.kinds[report.kind] = tally.kinds.get(report.kind, 0) + 1
    return fate


def _leaves(database: Database, tokens: Tokens, raw: bytes, now: datetime) -> bool:
    found = leaving.tokens_in(raw)
    if not found:
        return False
    with database.transaction() as session:
        return leaving.leave(session, tokens, found, now)
