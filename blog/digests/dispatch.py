"""From "a digest is due" to planned deliveries, and what fills a delivery's holes when it is sent.

Three steps, so that nothing is rendered inside a transaction: read who gets what, make the bytes, then write
the deliveries piece by piece, each piece looking again at who has had what.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr

from sqlalchemy.orm import Session

from blog.content.values import Site
from blog.db import Database
from blog.delivery.states import Claim
from blog.digests import compose, editorial, filling, plan, preflight, schedule, shelf
from blog.digests.compose import Press
from blog.digests.editorial import Editorial
from blog.digests.plan import Edition
from blog.digests.schedule import Due
from blog.digests.shelf import Shelf
from blog.links import Links
from blog.settings import Settings
from blog.subscribers.models import Cadence
from blog.templating import mail_environment
from blog.tokens import Purpose, Tokens

#: Articles that appear in quick succession go to readers of *each article* as one mail.
BURST = timedelta(minutes=2)
BREATH_SECONDS = 0.005
NO_ADDRESS = "No postal address is set yet: BLOG_POSTAL_ADDRESS"


@dataclass(frozen=True)
class Office:
    """What planning needs: the rows, the publication, and the settings."""

    database: Database
    settings: Settings
    links: Links
    site: Site


@dataclass(frozen=True)
class Opened:
    """What a run did: the issue it opened, if anybody had something new, and for how many."""

    issue: int | None
    eligible: int
    variants: int
    in_review: bool = False


class Overtaken(Exception):
    """Between reading and writing, another planner was faster; the transaction is rolled back."""


NOTHING = Opened(None, 0, 0)


@dataclass(frozen=True)
class Order:
    """What to plan: whose turn it is, as of which moment, for which period (it is thereby done), and how.

    What is to be reviewed waits for `review.approve`; everything else is sent by the worker at once.
    """

    cadence: Cadence
    at: datetime
    period: str | None = None
    review: bool = False
    local: Mapping[str, datetime] = field(default_factory=dict)


def run(
    office: Office,
    cadence: Cadence,
    now: datetime,
    at: datetime | None = None,
    period: str | None = None,
    review: bool = False,
) -> Opened:
    """Plan an issue of what is new `at` a moment (default: now) and open it, unless it is to be reviewed."""
    return fulfil(office, Order(cadence, at or now, period, review), now)


def fulfil(office: Office, order: Order, now: datetime) -> Opened:
    """Do what an order says, however many others do the same at this moment."""
    while True:
        finish_begun(office.database, now)
        try:
            return _run(office, order, now)
        except Overtaken:
            continue


def finish_begun(database: Database, now: datetime) -> None:
    """Write what is left of plans that somebody has begun, and perhaps been killed over."""
    with database.reading() as session:
        begun = filling.unfinished(session)
    for issue_id in begun:
        _fill(database, issue_id, now)


def run_due(office: Office, now: datetime) -> list[Opened]:
    """Plan what the publication's schedules ask for now; several callers at once are harmless."""
    finish_begun(office.database, now)
    schedules = schedule.read(office.site.digests)
    with office.database.reading() as session:
        due = list(schedule.due(session, schedules, now))
        if schedule.sends_instantly(office.site.digests):
            due += _instant_due(session, now)
    orders = [Order(one.cadence, now, one.period, one.review, one.local) for one in due]
    return [fulfil(office, order, now) for order in orders]


def personalise(tokens: Tokens) -> Callable[[Claim], Mapping[str, bytes]]:
    """Return what fills the holes of a delivery."""

    def fill(claim: Claim) -> dict[str, bytes]:
        return {
            compose.TO: claim.address.encode(),
            compose.MESSAGE_ID: claim.message_id.encode(),
            compose.UNSUBSCRIBE: tokens.capability(Purpose.UNSUBSCRIBE, claim.public_id).encode(),
            compose.PREFERENCES: tokens.capability(Purpose.PREFERENCES, claim.public_id).encode(),
        }

    return fill


def _run(office: Office, order: Order, now: datetime) -> Opened:
    database = office.database
    with database.transaction() as session:
        articles = plan.articles_at(session, order.at)
    press, editions = prepare(office, order.cadence, order.at, articles)
    if not editions:
        _mark_empty(database, order, now)
        return NOTHING
    frozen, mails = [], preflight.Mails()
    for edition in editions:
        drafted = compose.draft(press, edition)
        mails.look_at(drafted.email)
        frozen.append(filling.Frozen.of(edition, compose.freeze(drafted, now)))
    with database.reading() as session:
        preflight.check(session, office.settings, press, mails)
    draft = _draft(press, editions, order, now)
    with database.transaction() as session:
        issue_id = _begin(session, press, draft, frozen, order.period, now)
    if issue_id is None:
        return NOTHING
    _fill(database, issue_id, now)
    with database.reading() as session:
        eligible = filling.eligible(session, issue_id)
    return Opened(issue_id, eligible, len(frozen), order.review) if eligible else NOTHING


def prepare(office: Office, cadence: Cadence, at: datetime, articles: Shelf) -> tuple[Press, list[Edition]]:
    """Return what an issue of these articles would be made of; nothing is written."""
    with office.database.reading() as session:
        number, used = plan.next_number(session, cadence), plan.notes_used(session, cadence)
    zone = schedule.zone(office.site.digests)
    words = editorial.for_issue(office.settings.content_dir, office.links.to("/"), cadence, at, zone, used)
    with office.database.reading() as session:
        languages = office.site.translated_to
        editions = plan.editions(session, cadence, at, articles, words.pinned, languages)
    return press_for(office, cadence, number, at, words), editions


def _draft(press: Press, editions: list[Edition], order: Order, now: datetime) -> filling.Draft:
    return filling.Draft(
        cadence=order.cadence,
        number=press.number,
        title=press.title,
        language=press.site.language,
        # Reaching no further than now: what appears between now and a later `at` is for the next issue.
        cutoff_at=min(order.at, now),
        web_html=compose.web_view(press, editions),
        at=order.at,
        review=order.review,
        note=press.editorial.source,
        local=order.local,
    )


def _fill(database: Database, issue_id: int, now: datetime) -> None:
    more = True
    while more:
        with database.transaction() as session:
            more = filling.step(session, issue_id, now)
        if more and database.is_sqlite:
            # Long enough for whoever waits for the write lock to be woken; PostgreSQL has none.
            time.sleep(BREATH_SECONDS)


def press_for(office: Office, cadence: Cadence, number: int, at: datetime, words: Editorial) -> Press:
    """Return what the editions of an issue share."""
    settings = office.settings
    return Press(
        site=office.site,
        links=office.links,
        sender=settings.sender,
        postal_address=settings.postal_address or NO_ADDRESS,
        templates=mail_environment(settings.templates_dir),
        cadence=cadence,
        number=number,
        date=at,
        editorial=words,
        # Without a mailbox that we fetch, nobody would read what is sent there.
        leave_by_mail=settings.bounce_address if settings.bounce_mailbox else "",
    )


def _begin(
    session: Session,
    press: Press,
    draft: filling.Draft,
    frozen: list[filling.Frozen],
    period: str | None,
    now: datetime,
) -> int | None:
    """Begin the issue, and be done with its period; None if somebody else has planned that."""
    plan.one_planner_at_a_time(session)
    if period and schedule.ran(session, draft.cadence, period):
        return None
    if plan.next_number(session, draft.cadence) != draft.number:
        raise Overtaken
    sender = parseaddr(press.sender)[1]
    issue_id = filling.begin(session, draft, frozen, sender, press.domain, now)
    if period:
        schedule.mark(session, draft.cadence, period, issue_id, now)
    return issue_id


def _mark_empty(database: Database, order: Order, now: datetime) -> None:
    if order.period is None:
        return
    with database.transaction() as session:
        plan.one_planner_at_a_time(session)
        if not schedule.ran(session, order.cadence, order.period):
            schedule.mark(session, order.cadence, order.period, None, now)


def _instant_due(session: Session, now: datetime) -> list[Due]:
    """The period of *each article* is the newest article itself: one run for each that appears."""
    newest = shelf.newest(session, now)
    if newest is None or not newest <= now - BURST:
        return []
    period = newest.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [] if schedule.ran(session, Cadence.INSTANT, period) else [Due(Cadence.INSTANT, period)]
