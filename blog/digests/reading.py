"""What pages and reports ask of issues."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.digests.models import Issue

LISTED = 200


def latest(session: Session, limit: int = LISTED) -> Sequence[Issue]:
    """Return the issues that have been opened, newest first."""
    return session.scalars(select(Issue).order_by(Issue.cutoff_at.desc(), Issue.id.desc()).limit(limit)).all()


def issue(session: Session, issue_id: int) -> Issue | None:
    """Return an issue, or None."""
    return session.get(Issue, issue_id)
