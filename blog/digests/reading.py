"""What pages and reports ask of issues."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.delivery.models import Mailing
from blog.digests.models import Correction, Issue

LISTED = 200


class Mark(NamedTuple):
    """What changes whenever the pages of the digests change: an issue, once opened, stays as it is."""

    issues: int
    newest: int | None
    newest_at: datetime | None
    corrections: int


class Standing(NamedTuple):
    """An issue in the list of all."""

    issue: int
    cadence: str
    title: str
    state: str
    planned_at: datetime


def latest(session: Session, limit: int = LISTED) -> Sequence[Issue]:
    """Return the issues that have been opened, newest first."""
    opened = select(Issue).where(~Issue.in_review)
    return session.scalars(opened.order_by(Issue.cutoff_at.desc(), Issue.id.desc()).limit(limit)).all()


def standings(session: Session, limit: int) -> list[Standing]:
    """Return where the issues stand, newest first."""
    query = (
        select(Issue.id, Issue.cadence, Issue.title, Mailing.state, Issue.created_at)
        .join(Mailing, Mailing.id == Issue.id)
        .order_by(Issue.id.desc())
    )
    return [Standing(*row) for row in session.execute(query.limit(limit))]


def issue(session: Session, issue_id: int) -> Issue | None:
    """Return an issue that has been opened, or None."""
    return session.scalar(select(Issue).where(Issue.id == issue_id, ~Issue.in_review))


def numbered(session: Session, cadence: str, number: int) -> int | None:
    """Return the issue of a cadence with a number that readers see, if it has been opened."""
    found = select(Issue.id).where(Issue.cadence == cadence, Issue.number == number, ~Issue.in_review)
    return session.scalars(found.order_by(Issue.id).limit(1)).first()


def named(session: Session) -> dict[str, int]:
    """Return the opened issues by the name that a mail has for each, `weekly/7`."""
    found = select(Issue.cadence, Issue.number, func.min(Issue.id)).where(~Issue.in_review)
    rows = session.execute(found.group_by(Issue.cadence, Issue.number))
    return {f"{cadence}/{number}": issue_id for cadence, number, issue_id in rows}


def corrections(session: Session, issue_id: int) -> Sequence[Correction]:
    """Return the corrections of an issue, newest first."""
    found = select(Correction).where(Correction.issue_id == issue_id).order_by(Correction.id.desc())
    return session.scalars(found).all()


def mark(session: Session) -> Mark:
    """Return the mark of the issues as they are."""
    opened_at = func.max(func.coalesce(Issue.opened_at, Issue.created_at))
    columns = func.count(Issue.id), func.max(Issue.id), opened_at
    issues, newest, newest_at = session.execute(select(*columns).where(~Issue.in_review)).one()
    mended, mended_at = session.execute(select(func.count(Correction.id), func.max(Correction.at))).one()
    return Mark(issues, newest, max(filter(None, (newest_at, mended_at)), default=None), mended)
