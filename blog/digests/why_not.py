"""Why an issue was not planned for somebody: the first reason that holds, as things stood then."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.articles.models import ArticleTopic
from blog.delivery import suppression
from blog.delivery.models import Delivery
from blog.delivery.states import COVERED
from blog.digests import standing
from blog.digests.models import Issue, IssueArticle
from blog.digests.standing import Standing
from blog.subscribers.models import Cadence, ConsentEvent, Status, Subscriber

OFTEN = {
    Cadence.INSTANT.value: "of each article",
    Cadence.DAILY.value: "daily",
    Cadence.WEEKLY.value: "weekly",
    Cadence.MONTHLY.value: "monthly",
}
_STATUS = {
    Status.PENDING: "No: they had asked for mail but not pressed the button that confirms it",
    Status.UNSUBSCRIBED: "No: they had left",
    Status.BOUNCED: "No: mail to this address had bounced",
    Status.COMPLAINED: "No: they had reported a mail as spam",
    Status.ERASED: "No: they had asked to be erased",
}


def reason(session: Session, issue: Issue, person: Subscriber, record: list[ConsentEvent]) -> str:
    """Return in one sentence why somebody has no delivery of an issue."""
    was = standing.at(person, record, issue.created_at)
    found = next(_reasons(session, issue, person, was), None)
    return found or (
        "No: they were not among its readers when it was planned, and nothing in their record says why; "
        "their choices may have changed at that very moment."
    )


def _reasons(session: Session, issue: Issue, person: Subscriber, was: Standing) -> Iterator[str]:
    if person.created_at > issue.created_at:
        yield f"No: they signed up at {person.created_at:%Y-%m-%d %H:%M} UTC, after it was planned."
    if was.status in _STATUS:
        yield f"{_STATUS[was.status]} (since {was.since:%Y-%m-%d %H:%M} UTC)."
    suppressed = suppression.entry(session, person.address_hash)
    if suppressed and suppressed.created_at <= issue.created_at:
        since = f"{suppressed.created_at:%Y-%m-%d %H:%M} UTC"
        yield f"No: the address is on the list of those never to be mailed ({suppressed.reason}, {since})."
    if was.cadence != issue.cadence:
        theirs, its = OFTEN[was.cadence], OFTEN[issue.cadence]
        yield f"No: they hear {theirs}, and this issue was for those who hear {its}."
    if was.paused_until:
        yield f"No: they had paused until {was.paused_until:%Y-%m-%d}."
    yield from _nothing_new(session, issue, person, was)


def _nothing_new(session: Session, issue: Issue, person: Subscriber, was: Standing) -> Iterator[str]:
    if was.topics and not was.topics_of(_topics(session, issue)):
        yield f"No: none of its articles is about a topic they follow ({', '.join(was.topics)})."
    earlier = (
        select(func.max(Issue.id))
        .join(Delivery, Delivery.mailing_id == Issue.id)
        .where(Delivery.recipient_id == person.id, Issue.id < issue.id, Delivery.state.in_(COVERED))
    )
    last = session.get(Issue, session.scalar(earlier) or 0)
    if last is not None:
        yield (
            f"No: there was nothing new for them. {last.title} (issue {last.id}) had brought them everything "
            f"up to {last.cutoff_at:%Y-%m-%d %H:%M} UTC."
        )


def _topics(session: Session, issue: Issue) -> set[str]:
    rows = (
        select(ArticleTopic.topic)
        .join(IssueArticle, IssueArticle.article_id == ArticleTopic.article_id)
        .where(IssueArticle.issue_id == issue.id)
    )
    return set(session.scalars(rows))
