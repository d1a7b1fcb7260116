"""From bytes to conclusions: a message is read outside of any transaction, and settled in its own."""

from collections.abc import Iterable
from datetime import datetime

from blog.bounces import reading, settling
from blog.bounces.reports import Door, Report, Tally
from blog.bounces.settling import Fate
from blog.db import Database
from blog.tokens import Tokens


def take_mail(
    database: Database, tokens: Tokens, raw: bytes, door: Door, now: datetime, tally: Tally
) -> Fate | None:
    """Take one message in; return what became of its report, or None if it holds none."""
    tally.messages += 1
    report = reading.read(raw)
    if report is None:
        tally.no_report += 1
        return None
    return take(database, tokens, [report], door, now, tally)[0]


def take(
    database: Database,
    tokens: Tokens,
    reports: Iterable[Report],
    door: Door,
    now: datetime,
    tally: Tally,
    believed: bool = False,
) -> list[Fate]:
    """Settle reports in one transaction; return what became of each."""
    reports = list(reports)
    with database.transaction() as session:
        fates = [settling.settle(session, tokens, each, door, now, believed) for each in reports]
    for report, fate in zip(reports, fates, strict=True):
        setattr(tally, fate, getattr(tally, fate) + 1)
        if fate is Fate.APPLIED:
            tally.kinds[report.kind] = tally.kinds.get(report.kind, 0) + 1
    return fates
