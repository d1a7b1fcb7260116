"""An issue as one reader gets or would get it: for the eye, and for a mail marked as a test."""

import email
import email.policy
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.delivery import ledger, splice
from blog.delivery.addresses import BadAddress, parse
from blog.delivery.models import Delivery
from blog.digests import compose, dispatch, plan, shelf
from blog.digests.covered import covered
from blog.digests.dispatch import Office
from blog.digests.models import Issue
from blog.errors import BlogError, NoSuchIssue, UsageError
from blog.subscribers import audience, directory
from blog.subscribers.models import Cadence, Status, Subscriber

LOOKED_AT = 10_000
#: Stands where each reader's own link has its secret part: a preview is passed on.
NO_LINK = "only-in-the-mail-itself"
_SENT_FROM = re.compile(rb"(?im)^from: [^\r\n]*?@([^\s<>@]+?)>?\r$")


@dataclass(frozen=True)
class Seen:
    """A message as bytes, and its two parts for reading."""

    raw: bytes
    subject: str
    text: str
    html: str


def of_issue(session: Session, issue_id: int, address: str | None, to: str) -> Seen:
    """Return an issue as it was frozen: for the reader at `address`, or the variant that most get.

    Most of the first ten thousand, who are as good as all.
    """
    if session.get(Issue, issue_id) is None:
        raise NoSuchIssue(issue_id)
    if address is None:
        chosen = select(Delivery.variant_id).where(Delivery.mailing_id == issue_id)
        first = chosen.order_by(Delivery.recipient_id).limit(LOOKED_AT).subquery()
        most = select(first.c.variant_id).group_by(first.c.variant_id).order_by(func.count().desc())
        variant = session.scalars(most.limit(1)).first()
    else:
        mine = Delivery.mailing_id == issue_id, Delivery.recipient_id == person(session, address).id
        variant = session.scalar(select(Delivery.variant_id).where(*mine))
    if variant is None:
        raise BlogError(f"issue {issue_id} is not for {address}; ask: blog why {address} {issue_id}")
    return seen(_filled(ledger.template(session, variant), to))


def of_cadence(office: Office, cadence: Cadence, address: str | None, at: datetime, to: str) -> Seen:
    """Return what an issue of a cadence would be at a moment; nothing is written."""
    with office.database.reading() as session:
        articles = shelf.at(session, at)
        group = _group(session, person(session, address), cadence, at) if address else None
        if group is not None and not office.site.translated_to:
            group = replace(group, language="")
    press, editions = dispatch.prepare(office, cadence, at, articles)
    wanted = sorted(editions, key=lambda one: -sum(group.people for group in one.groups))
    if group is not None:
        wanted = [edition for edition in editions if any(map(group.is_place_of, edition.groups))]
        if not wanted:
            raise BlogError(f"there is nothing new for {address}, so they would get no issue")
    if not wanted:
        raise BlogError("there is nothing new for anybody, so there would be no issue")
    frozen = compose.freeze(compose.draft(press, wanted[0]), at)
    return seen(_filled(frozen, to))


def person(session: Session, address: str) -> Subscriber:
    """Return the subscriber with an address; raise if there is none."""
    try:
        found = directory.by_key(session, parse(address).key)
    except BadAddress as error:
        raise UsageError(f"{address!r}: {error}") from None
    if found is None:
        raise BlogError(f"nobody subscribes as {address}")
    return found


def seen(stuffed: bytes) -> Seen:
    """Take a finished message apart."""
    raw = b"\r\n".join(line[1:] if line.startswith(b"..") else line for line in stuffed.split(b"\r\n"))
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, html = (str(part.get_content()) if part else "" for part in parts)
    return Seen(stuffed, str(message["Subject"]), text, html)


def marked(stuffed: bytes) -> bytes:
    """Return a finished message with a subject that says it is a test."""
    return stuffed.replace(b"\r\nSubject: ", b"\r\nSubject: [Test] ", 1)


def _group(session: Session, who: Subscriber, cadence: Cadence, at: datetime) -> plan.Group:
    status = audience.public_status(session, who)
    if status is not Status.ACTIVE:
        raise BlogError(f"{who.email} would get no issue: the subscription is {status}")
    if who.cadence != cadence:
        raise BlogError(f"{who.email} hears {who.cadence}, so they would get no {cadence} issue")
    if who.paused_until and who.paused_until > at:
        raise BlogError(f"{who.email} has paused until {who.paused_until:%Y-%m-%d}")
    had = covered(session, who.id - 1, who.id).subquery()
    return plan.Group(who.topics, session.scalar(select(had.c.last_issue)), language=who.language)


def _filled(template: bytes, to: str) -> bytes:
    """Fill in a reader's own values; the name is new each time, or Gmail would show one of two."""
    domain = _SENT_FROM.search(template)
    values = {
        compose.TO: to.encode(),
        compose.MESSAGE_ID: b"<preview.%s@%s>"
        % (secrets.token_hex(8).encode(), domain[1] if domain else b"localhost"),
        compose.UNSUBSCRIBE: NO_LINK.encode(),
        compose.PREFERENCES: NO_LINK.encode(),
    }
    return splice.split(template).fill(values)
