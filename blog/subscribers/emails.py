"""The mails of this room: to confirm an address, and to say that it is on the list already.

They hold nothing that a visitor typed, so nobody can use the form to send words of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import css_inline
from jinja2 import Environment, Template
from sqlalchemy.orm import Session

from blog.content.values import Site
from blog.delivery import suppression
from blog.delivery.email import Email
from blog.delivery.models import OutboxMail
from blog.delivery.suppression import SILENT
from blog.links import Links
from blog.settings import Settings
from blog.subscribers import audience, confirmation, preferences
from blog.subscribers.models import Status, Subscriber
from blog.subscribers.retention import UNCONFIRMED_KEPT
from blog.subscribers.signup import Mail
from blog.templating import mail_environment
from blog.theme import theme
from blog.tokens import Tokens

INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
#: Sent by a program on request: no out-of-office answers, please (RFC 3834 §5; the second is Exchange's).
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"}

Render = Callable[[Session, OutboxMail], Email | None]


@dataclass(frozen=True)
class Letterhead:
    """What every mail of the site shares: who writes, from where, and how links are made."""

    site: Site
    links: Links
    tokens: Tokens
    sender: str
    templates: Environment = field(default_factory=mail_environment)


def renderer(settings: Settings, tokens: Tokens, links: Links, site: Site) -> Render:
    """Return what makes an outbox row into a mail, or into None when it is not needed any more."""
    head = Letterhead(site, links, tokens, settings.sender, mail_environment(settings.templates_dir))
    return lambda session, mail: render(session, mail, head)


def render(session: Session, mail: OutboxMail, head: Letterhead) -> Email | None:
    """Return the mail that an outbox row asks for; None when things have moved on since it was written."""
    subscriber = session.get(Subscriber, mail.subject_id)
    if subscriber is None or suppression.reason_for(session, subscriber.address_hash) in SILENT:
        return None
    make = _KINDS[Mail(mail.kind)]
    return make(session, subscriber, mail.message_id, head)


def confirmation_email(subscriber: Subscriber, message_id: str, head: Letterhead) -> Email:
    """Return the mail with the link to the confirmation page."""
    confirm_url = head.links.confirm(confirmation.token_for(head.tokens, subscriber))
    return _email(
        Mail.CONFIRM,
        subscriber,
        message_id,
        head,
        confirm_url=confirm_url,
        hours=confirmation.VALID_HOURS,
        days=UNCONFIRMED_KEPT.days,
    )


def already_subscribed_email(subscriber: Subscriber, message_id: str, head: Letterhead) -> Email:
    """Return the mail that says that there is nothing to do, with the link to the preferences."""
    preferences_url = head.links.preferences(preferences.token_for(head.tokens, subscriber.public_id))
    return _email(Mail.ALREADY_SUBSCRIBED, subscriber, message_id, head, preferences_url=preferences_url)


def _confirm(_session: Session, subscriber: Subscriber, message_id: str, head: Letterhead) -> Email | None:
    if subscriber.status == Status.ACTIVE:
        return None
    return confirmation_email(subscriber, message_id, head)


def _already(session: Session, subscriber: Subscriber, message_id: str, head: Letterhead) -> Email | None:
    if audience.public_status(session, subscriber) is not Status.ACTIVE:
        return None
    return already_subscribed_email(subscriber, message_id, head)


_KINDS = {Mail.CONFIRM: _confirm, Mail.ALREADY_SUBSCRIBED: _already}


def _email(kind: Mail, subscriber: Subscriber, message_id: str, head: Letterhead, **context: Any) -> Email:
    colours = theme(head.site.accent)
    context |= {
        "site": head.site,
        "home_url": head.links.to("/"),
        "accent": colours.accent_light,
        "accent_dark": colours.accent_dark,
    }
    subject = " ".join(_template(head, kind, "subject.txt").render(context).split())
    return Email(
        to=subscriber.address,
        subject=subject,
        text=_template(head, kind, "body.txt").render(context),
        html=INLINER.inline(_template(head, kind, "body.html").render(context, subject=subject)),
        message_id=message_id,
        sender=head.sender,
        headers=HEADERS,
    )


def _template(head: Letterhead, kind: Mail, name: str) -> Template:
    return head.templates.get_template(f"emails/{kind}/{name}")
