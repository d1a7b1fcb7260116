"""Correcting an issue: whoever has not had it gets the mended text; whoever has, may be told.

The first text stays on the issue's page, below the mended one, as it was sent.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr

from sqlalchemy import ColumnElement, case, exists, func, literal, select, update
from sqlalchemy.orm import Session

from blog.articles.live import live
from blog.articles.models import Article
from blog.content import issues
from blog.delivery import balance, events, ledger, replacing
from blog.delivery.email import Email
from blog.delivery.events import Event
from blog.delivery.models import Delivery, Mailing, MailingState, Variant
from blog.digests import compose, dispatch, editorial, preflight
from blog.digests.compose import Press
from blog.digests.dispatch import Office
from blog.digests.models import Correction, EditionRow, Issue
from blog.digests.plan import Edition
from blog.errors import BlogError, NoSuchIssue
from blog.subscribers.models import Cadence, Subscriber

PEOPLE_AT_ONCE = 2000
#: The text of an erratum for whoever has chosen no other language.
ALL = "all"
_RECIPIENT = Delivery.recipient_id, Delivery.public_id, Delivery.address, Delivery.address_hash


@dataclass(frozen=True)
class Corrected:
    """What a correction did: how many get the mended text, and how many had, or may have had, the old one."""

    issue: int
    mended: int
    had_the_old: int
    on_their_way: int


def correct(office: Office, issue_id: int, note: str, now: datetime) -> Corrected:
    """Put the articles and the note as they are today in the place of the issue's frozen text."""
    with office.database.reading() as session:
        issue = _issue(session, issue_id)
        editions = _editions(session, issue_id, now)
    press = press_of(office, issue)
    drafts = {variant: compose.draft(press, edition) for variant, edition in editions.items()}
    _in_order(office, replace(press, date=now), [drafted.email for drafted in drafts.values()])
    frozen = {variant: compose.freeze(drafted, now) for variant, drafted in drafts.items()}
    view = compose.web_view(press, list(editions.values()))
    with office.database.transaction() as session:
        by_old = {}
        for old, template in frozen.items():
            by_old[old] = ledger.add_variant(session, issue_id, f"mended {old}", template)
            numbers = [article.id for article in editions[old].articles]
            row = EditionRow(variant_id=by_old[old], articles=numbers, more=editions[old].more)
            row.language = editions[old].language
            session.add(row)
        replacing.replace(session, by_old, now)
        session.add(Correction(issue_id=issue_id, at=now, note=note, web_html=view))
        events.note(session, issue_id, Event.CORRECTED, now, words=note)
    with office.database.reading() as session:
        return standing(session, issue_id)


def standing(session: Session, issue_id: int) -> Corrected:
    """Return who gets the mended text and who had the old one."""
    account = balance.balance(session, issue_id)
    old = select(func.count()).select_from(replacing.had_the_old(issue_id).subquery())
    moving = replacing.on_their_way(session, issue_id)
    waiting = account.pending if account else 0
    return Corrected(issue_id, waiting - moving, session.scalar(old) or 0, moving)


def begin_erratum(office: Office, issue_id: int, now: datetime) -> int:
    """Begin, or go on with, the mail that tells those who had the old text; return its number."""
    with office.database.reading() as session:
        issue = _issue(session, issue_id)
        begun = session.scalar(
            select(Correction)
            .join(Mailing, Mailing.id == Correction.erratum_id)
            .where(Correction.issue_id == issue_id, Mailing.state == MailingState.PLANNING)
        )
        last = session.scalar(
            select(Correction).where(Correction.issue_id == issue_id).order_by(Correction.id.desc()).limit(1)
        )
    if begun is not None and begun.erratum_id is not None:
        return begun.erratum_id
    if last is None:
        raise BlogError(f"issue {issue_id} has not been corrected, so there is nothing to tell")
    press = press_of(office, issue)
    words = editorial.words(last.note, office.links.to("/"))
    spoken = {tag: compose.erratum(press.speaking(tag), words, issue_id) for tag in _languages(office)}
    _in_order(office, press, [drafted.email for drafted in spoken.values()])
    with office.database.transaction() as session:
        sender = parseaddr(press.sender)[1]
        erratum = ledger.open_mailing(session, "erratum", sender, now, MailingState.PLANNING)
        for tag, drafted in spoken.items():
            ledger.add_variant(session, erratum, tag or ALL, compose.freeze(drafted, now))
        session.execute(update(Correction).where(Correction.id == last.id).values(erratum_id=erratum))
    return erratum


def plan_erratum(session: Session, issue_id: int, erratum: int, domain: str, now: datetime) -> bool:
    """Plan the next piece of an erratum, and open it with the last one; return whether more is left.

    It goes to exactly those who had a text that was replaced, or may have had it; who has been told the same
    note before is not told again.
    """
    note = select(Correction.note).where(Correction.erratum_id == erratum).scalar_subquery()
    told = (
        select(Correction.erratum_id)
        .where(Correction.issue_id == issue_id, Correction.erratum_id.is_not(None), Correction.note == note)
        .scalar_subquery()
    )
    other = Delivery.__table__.alias("told")
    already = exists().where(other.c.recipient_id == Delivery.recipient_id, other.c.mailing_id.in_(told))
    who = (
        select(*_RECIPIENT, _variant(session, erratum), literal(now, Delivery.next_at.type))
        .join(Subscriber, Subscriber.id == Delivery.recipient_id, isouter=True)
        .where(Delivery.id.in_(replacing.had_the_old(issue_id)), Delivery.address != "", ~already)
        .order_by(Delivery.id)
        .limit(PEOPLE_AT_ONCE)
    )
    if ledger.plan(session, erratum, who, domain, now):
        return True
    balance.complete(session, erratum, balance.planned(session, erratum))
    session.execute(
        update(Mailing)
        .where(Mailing.id == erratum, Mailing.state == MailingState.PLANNING)
        .values(state=MailingState.SENDING)
    )
    return False


def press_of(office: Office, issue: Issue) -> Press:
    """Return what the editions of an issue share, its note as the file is today."""
    base = office.links.to("/")
    found, _ = issues.read(office.settings.content_dir)
    note = next((note for note in found if note.source == issue.note), None)
    words = editorial.of(note, base) if note else editorial.NONE
    return dispatch.press_for(office, Cadence(issue.cadence), issue.number, issue.cutoff_at, words)


def _languages(office: Office) -> list[str]:
    """Return the languages an erratum is written in; the empty one is the site's, for everybody else."""
    return ["", *office.site.translated_to]


def _variant(session: Session, erratum: int) -> ColumnElement[int]:
    """Return the expression for the text that a recipient of an erratum gets: the one in their language."""
    rows = session.execute(select(Variant.key, Variant.id).where(Variant.mailing_id == erratum))
    by_language = {row.key: row.id for row in rows}
    everybody = literal(by_language.pop(ALL))
    if not by_language:
        return everybody
    return case(by_language, value=Subscriber.language, else_=everybody)


def _issue(session: Session, issue_id: int) -> Issue:
    issue = session.get(Issue, issue_id)
    if issue is None:
        raise NoSuchIssue(issue_id)
    state = session.scalar(select(Mailing.state).where(Mailing.id == issue_id))
    if state in (MailingState.PLANNING, MailingState.CANCELLED):
        raise BlogError(f"issue {issue_id} is {state}; there is nothing of it to correct")
    return issue


def _editions(session: Session, issue_id: int, now: datetime) -> dict[int, Edition]:
    """Return the editions that variants in use hold, of the articles as they are today."""
    found = {}
    for variant in replacing.current(session, issue_id):
        row = session.get(EditionRow, variant)
        if row is None:
            raise BlogError(f"issue {issue_id} is of an older version and cannot be corrected")
        rows = session.scalars(select(Article).where(Article.id.in_(row.articles), *live(now)))
        by_id = {article.id: article for article in rows}
        articles = tuple(by_id[number] for number in row.articles if number in by_id)
        if not articles:
            raise BlogError(f"some readers have no article left in it; use: blog digest cancel {issue_id}")
        found[variant] = Edition(articles, row.more, (), row.language)
    return found


def _in_order(office: Office, press: Press, emails: list[Email]) -> None:
    mails = preflight.Mails()
    for email in emails:
        mails.look_at(email)
    with office.database.reading() as session:
        preflight.check(session, office.settings, press, mails)
