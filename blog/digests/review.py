"""An issue that has been planned and waits for somebody to say that it may go."""

from datetime import datetime

from sqlalchemy.orm import Session

from blog.delivery import control, ledger
from blog.delivery.events import Event
from blog.digests.models import Issue


def approve(session: Session, issue_id: int, now: datetime, first: int | None = None) -> None:
    """Open a planned issue: its web view appears and its mail leaves, at `first` to so many only.

    Its mails bear the date of this moment (RFC 5322 §3.6.1: when it was made ready to be sent); with that of
    the plan, days ago perhaps, filters would take them for spam and mailboxes show them below newer ones.
    Raises `BlogError` if it is not one that waits.
    """
    control.move(session, issue_id, Event.APPROVED, now)
    ledger.date_anew(session, issue_id, now)
    if first:
        control.only_the_first(session, issue_id, first)
    issue = session.get(Issue, issue_id)
    if issue is not None:
        issue.in_review, issue.opened_at = False, now
