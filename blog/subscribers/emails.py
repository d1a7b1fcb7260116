"""The single mails of this room, made when they are sent.

They hold nothing that a visitor typed, so nobody can use a form to send words of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, Template
from sqlalchemy.orm import Session

from blog.content.values import Site
from blog.delivery import suppression
from blog.delivery.addresses import masked
from blog.delivery.email import Email
from blog.delivery.headers import list_id, mailbox
from blog.delivery.models import OutboxMail
from blog.delivery.suppression import SILENT
from blog.links import Links
from blog.settings import Settings
from blog.subscribers import account, audience, confirmation, moving, preferences, unsubscribe, welcome
from blog.subscribers.models import AddressChange, Mail, Status, Subscriber
from blog.subscribers.retention import UNCONFIRMED_KEPT
from blog.subscribers.welcome import Teaser
from blog.templating import mail_environment
from blog.theme import theme
from blog.tokens import Tokens

INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
#: Sent by a program on request: no out-of-office answers, please (RFC 3834 §5; the second is Exchange's).
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"}

Render = Callable[[Session, OutboxMail], Email | None]
Latest = Callable[[Session], list[Teaser]]


@dataclass(frozen=True)
class Letterhead:
    """What every mail of the site shares: who writes, from where, and how links are made."""

    site: Site
    links: Links
    tokens: Tokens
    sender: str
    postal_address: str = ""
    content_dir: Path | None = None
    latest: Latest = lambda _session: []
    templates: Environment = field(default_factory=mail_environment)

    def speaking(self, tag: str) -> "Letterhead":
        """Return the same for somebody who chose a language."""
        return replace(self, site=self.site.speaking(tag))


@dataclass(frozen=True)
class Sheet:
    """One mail to be made: to which address, under which Message-ID, on which letterhead."""

    kind: Mail
    to: str
    message_id: str
    head: Letterhead


Context = dict[str, Any]


def renderer(
    settings: Settings, tokens: Tokens, links: Links, site: Site, latest: Latest | None = None
) -> Render:
    """Return what makes an outbox row into a mail, or into None when it is not needed any more.

    `latest` names the newest articles for the welcome; this room does not know articles.
    """
    head = Letterhead(
        site,
        links,
        tokens,
        settings.sender,
        settings.postal_address,
        settings.content_dir,
        latest or (lambda _session: []),
        mail_environment(settings.templates_dir),
    )
    return lambda session, mail: render(session, mail, head)


def render(session: Session, mail: OutboxMail, head: Letterhead) -> Email | None:
    """Return the mail that an outbox row asks for; None when things have moved on since it was written."""
    kind = Mail(mail.kind)
    if kind in (Mail.MOVE, Mail.MOVED):
        change = session.get(AddressChange, mail.subject_id)
        return _about_change(session, change, kind, mail.message_id, head) if change else None
    subscriber = session.get(Subscriber, mail.subject_id)
    if subscriber is None or suppression.reason_for(session, subscriber.address_hash) in SILENT:
        return None
    if subscriber.status == Status.ERASED:
        return None
    head = head.speaking(subscriber.language)
    context = _CONTEXTS[kind](session, subscriber, head)
    if context is None:
        return None
    sheet = Sheet(kind, subscriber.address, mail.message_id, head)
    return _welcome(sheet, context) if kind is Mail.WELCOME else _email(sheet, context)


def _about_change(
    session: Session, change: AddressChange, kind: Mail, message_id: str, head: Letterhead
) -> Email | None:
    if suppression.reason_for(session, change.address_hash) in SILENT:
        return None
    person = session.get(Subscriber, change.subscriber_id)
    head = head.speaking(person.language) if person else head
    if kind is Mail.MOVED:
        return _email(Sheet(kind, change.old_address, message_id, head), {"masked": masked(change.email)})
    if change.confirmed_at is not None:
        return None
    url = head.links.move(moving.token_for(head.tokens, change))
    hours = int(moving.VALID.total_seconds() // 3600)
    return _email(Sheet(kind, change.address, message_id, head), {"move_url": url, "hours": hours})


def _confirm(_session: Session, subscriber: Subscriber, head: Letterhead) -> Context | None:
    if subscriber.status == Status.ACTIVE:
        return None
    return {
        "confirm_url": head.links.confirm(confirmation.token_for(head.tokens, subscriber)),
        "hours": confirmation.VALID_HOURS,
        "days": UNCONFIRMED_KEPT.days,
    }


def _reminder(session: Session, subscriber: Subscriber, head: Letterhead) -> Context | None:
    return _confirm(session, subscriber, head) if subscriber.status == Status.PENDING else None


def _already(session: Session, subscriber: Subscriber, head: Letterhead) -> Context | None:
    if audience.public_status(session, subscriber) is not Status.ACTIVE:
        return None
    token = preferences.token_for(head.tokens, subscriber.public_id)
    return {"preferences_url": head.links.preferences(token)}


def _left(session: Session, subscriber: Subscriber, head: Letterhead) -> Context | None:
    token = unsubscribe.restore_token(head.tokens, subscriber)
    if unsubscribe.restorable(session, head.tokens, token) is None:
        return None
    return {"restore_url": head.links.restore(token), "days": unsubscribe.RESTORABLE.days}


def _account(_session: Session, subscriber: Subscriber, head: Letterhead) -> Context | None:
    token = account.token_for(head.tokens, subscriber)
    return {"account_url": head.links.account(token)} if token else None


def _greeted(session: Session, subscriber: Subscriber, head: Letterhead) -> Context | None:
    letter = welcome.read(head.content_dir, head.site.name, head.links.to("/")) if head.content_dir else None
    if letter is None or audience.public_status(session, subscriber) is not Status.ACTIVE:
        return None
    return {
        "letter": letter,
        "articles": head.latest(session),
        "preferences_url": head.links.preferences(preferences.token_for(head.tokens, subscriber.public_id)),
        "unsubscribe_url": head.links.unsubscribe(unsubscribe.token_for(head.tokens, subscriber.public_id)),
        "privacy_url": head.links.whole(head.site.privacy),
        "postal_address": head.postal_address,
    }


_CONTEXTS = {
    Mail.CONFIRM: _confirm,
    Mail.REMINDER: _reminder,
    Mail.ALREADY_SUBSCRIBED: _already,
    Mail.LEFT: _left,
    Mail.ACCOUNT: _account,
    Mail.WELCOME: _greeted,
}


def _welcome(sheet: Sheet, context: Context) -> Email:
    # The first of the list's mails rather than an answer to a form: it can be left like any other of them.
    one_click = {
        "List-Unsubscribe": f"<{context['unsubscribe_url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": list_id(sheet.head.site.name, mailbox(sheet.head.sender).address.rpartition("@")[2]),
    }
    return _email(sheet, context, one_click)


def _email(sheet: Sheet, context: Context, headers: dict[str, str] | None = None) -> Email:
    head, colours = sheet.head, theme(sheet.head.site.accent)
    context |= {
        "site": head.site,
        "home_url": head.links.to("/"),
        "accent": colours.accent_light,
        "accent_dark": colours.accent_dark,
    }
    subject = " ".join(_template(head, sheet.kind, "subject.txt").render(context).split())
    return Email(
        to=sheet.to,
        subject=subject,
        text=_template(head, sheet.kind, "body.txt").render(context),
        html=INLINER.inline(_template(head, sheet.kind, "body.html").render(context, subject=subject)),
        message_id=sheet.message_id,
        sender=head.sender,
        headers=HEADERS | (headers or {}),
    )


def _template(head: Letterhead, kind: Mail, name: str) -> Template:
    return head.templates.get_template(f"emails/{kind}/{name}")
