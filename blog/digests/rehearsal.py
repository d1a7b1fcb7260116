"""A rehearsal: everything an issue would be, on the real list, with nothing sent or written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.orm import Session

from blog.articles.models import Article
from blog.delivery import balance
from blog.delivery.email import Email
from blog.digests import compose, dispatch, preflight, shelf
from blog.digests.covered import covered, expect_many
from blog.digests.dispatch import Office
from blog.digests.models import Issue, IssueArticle
from blog.digests.plan import Edition
from blog.subscribers.audience import audience
from blog.subscribers.models import Cadence

SAMPLES = 3
SHOWN = 20


@dataclass(frozen=True)
class Sketch:
    """One variant: how many would get it, what it holds, how large it is, and who for example."""

    readers: int
    subject: str
    articles: tuple[str, ...]
    more: int
    html_octets: int
    text_octets: int
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Since:
    """What is different from the last issue of the cadence; `again` are articles that both hold."""

    issue: int
    title: str
    readers: int
    new: tuple[str, ...]
    again: tuple[str, ...]


@dataclass(frozen=True)
class Rehearsal:
    """What would happen; with `problems` nothing would."""

    cadence: str
    at: datetime
    title: str
    note: str | None
    eligible: int
    variants: int
    sketches: tuple[Sketch, ...]
    problems: tuple[str, ...]
    since: Since | None


def rehearse(office: Office, cadence: Cadence, at: datetime) -> Rehearsal:
    """Return what an issue of a cadence would be at a moment, now or ahead."""
    with office.database.reading() as session:
        articles = shelf.at(session, at)
    press, editions = dispatch.prepare(office, cadence, at, articles)
    editions.sort(key=_readers, reverse=True)
    shown: list[Email] = []
    mails = preflight.Mails()
    for edition in editions:
        email = compose.draft(press, edition).email
        mails.look_at(email)
        shown += [email] if len(shown) < SHOWN else []
    with office.database.reading() as session:
        problems = preflight.problems(session, office.settings, press, mails)
        sketches = [
            Sketch(
                readers=_readers(edition),
                subject=email.subject,
                articles=tuple(article.slug for article in edition.articles),
                more=edition.more,
                html_octets=len(email.html.encode()),
                text_octets=len(email.text.encode()),
                samples=_samples(session, edition, cadence, at),
            )
            for edition, email in zip(editions[:SHOWN], shown, strict=True)
        ]
        since = _since(session, cadence, editions)
    return Rehearsal(
        cadence=cadence,
        at=at,
        title=press.title,
        note=press.editorial.source,
        eligible=sum(_readers(edition) for edition in editions),
        variants=len(editions),
        sketches=tuple(sketches),
        problems=tuple(problems),
        since=since,
    )


def _readers(edition: Edition) -> int:
    return sum(group.people for group in edition.groups)


def _samples(session: Session, edition: Edition, cadence: Cadence, at: datetime) -> tuple[str, ...]:
    expect_many(session)
    people, had = audience(cadence, at).subquery(), covered(session).subquery()
    groups = [
        and_(
            people.c.topics == group.topics,
            func.coalesce(had.c.last_issue, 0) == (group.last_issue or 0),
            literal(group.language).in_(("", people.c.language)),
        )
        for group in edition.groups[:SAMPLES]
    ]
    found = (
        select(people.c.address)
        .join_from(people, had, had.c.recipient_id == people.c.id, isouter=True)
        .where(or_(*groups))
        .order_by(people.c.id)
        .limit(SAMPLES)
    )
    return tuple(session.scalars(found))


def _since(session: Session, cadence: Cadence, editions: Sequence[Edition]) -> Since | None:
    newest = select(Issue).where(Issue.cadence == cadence).order_by(Issue.id.desc()).limit(1)
    last = session.scalars(newest).first()
    if last is None:
        return None
    carried = set(
        session.scalars(
            select(Article.slug)
            .join(IssueArticle, IssueArticle.article_id == Article.id)
            .where(IssueArticle.issue_id == last.id)
        )
    )
    now = {article.slug for edition in editions for article in edition.articles}
    account = balance.balance(session, last.id)
    readers = account.eligible if account else 0
    return Since(last.id, last.title, readers, tuple(sorted(now - carried)), tuple(sorted(now & carried)))
