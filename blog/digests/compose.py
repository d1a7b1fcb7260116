"""An edition as bytes: rendered once, encoded once, with holes for what is each recipient's own."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from typing import Any

import css_inline
from jinja2 import Environment

from blog.articles import wording
from blog.content.values import Site
from blog.delivery import mime, splice
from blog.delivery.email import Email
from blog.delivery.headers import list_id, mailbox
from blog.delivery.lint import LARGEST_TEXT
from blog.delivery.lint_html import LARGEST
from blog.digests.arrangement import arranged
from blog.digests.editorial import NONE, Editorial, pinned_first
from blog.digests.plan import Edition
from blog.language import N_, SOURCE, say, say_many
from blog.links import Links
from blog.subscribers.models import Cadence
from blog.templating import legible
from blog.theme import Theme, theme

LONGEST_LOCAL = 64 - 44 - 1
TO, MESSAGE_ID, UNSUBSCRIBE, PREFERENCES = "to", "message_id", "unsubscribe", "preferences"
TITLES = {
    Cadence.INSTANT: N_("New article No. %(number)s"),
    Cadence.DAILY: N_("Daily digest No. %(number)s"),
    Cadence.WEEKLY: N_("Weekly digest No. %(number)s"),
    Cadence.MONTHLY: N_("Monthly digest No. %(number)s"),
}
#: How templates say dates and topics: as the pages do, by the publisher's calendar.
WORDS = {
    "long_date": wording.long_date,
    "iso_date": wording.iso_date,
    "topic_name": wording.topic_name,
    "author_name": wording.author_name,
    "excerpt": wording.excerpt,
}
#: How long summaries and titles may be: the first that keeps a mail below what mail programs cut off.
LENGTHS = ((None, None), (300, 200), (160, 120), (0, 90))
LONGEST_TITLE = 90
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


@dataclass(frozen=True)
class Press:
    """What every edition of an issue shares."""

    site: Site
    links: Links
    sender: str
    postal_address: str
    templates: Environment
    cadence: Cadence
    number: int
    date: datetime
    editorial: Editorial = NONE
    leave_by_mail: str = ""

    @property
    def theme(self) -> Theme:
        """The accent in both schemes."""
        return theme(self.site.accent)

    @property
    def title(self) -> str:
        """The issue's name, such as "Weekly digest No. 3"."""
        return say(self.site.language, TITLES[self.cadence], number=self.number)

    def speaking(self, tag: str) -> "Press":
        """Return what the editions for readers of a language share; an empty one stands for the site's."""
        return replace(self, site=self.site.speaking(tag))

    @property
    def domain(self) -> str:
        """The right side of Message-IDs: the domain that mail comes from."""
        return parseaddr(self.sender)[1].rpartition("@")[2]


def web_view(press: Press, editions: Iterable[Edition]) -> str:
    """Return the frozen web view: every article of any edition, newest first, nothing personal."""
    articles = {article.id: article for edition in editions for article in edition.articles}
    newest_first = sorted(articles.values(), key=lambda a: (a.published_at, a.id), reverse=True)
    in_order = pinned_first(newest_first, press.editorial.pinned)
    template = press.templates.get_template("digests/frozen.html")
    return template.render(articles=in_order, site=press.site, note=press.editorial.html, **WORDS)


@dataclass(frozen=True)
class Drafted:
    """An edition rendered once: its mail, with marks where the holes are going to be."""

    email: Email
    marks: dict[str, str]


def draft(press: Press, edition: Edition) -> Drafted:
    """Render an edition."""
    marks = _marks()
    return Drafted(_email(press.speaking(edition.language), edition, marks), marks)


def freeze(drafted: Drafted, made_at: datetime) -> bytes:
    """Return a draft's frozen bytes, dots stuffed, holes marked; `made_at` becomes the mail's date."""
    email, marks = drafted.email, drafted.marks
    with_holes = Email(
        to=splice.hole(TO),
        subject=email.subject,
        text=_opened(email.text, marks),
        html=_opened(email.html, marks),
        message_id=splice.hole(MESSAGE_ID),
        sender=email.sender,
        headers={name: _opened(value, marks) for name, value in email.headers.items()},
    )
    return splice.stuff_dots(mime.serialise(with_holes, made_at, holes=True))


def email_for(press: Press, edition: Edition, to: str, message_id: str, tokens: dict[str, str]) -> Email:
    """Return an edition as the mail one recipient gets, made the slow way: the measure of the fast one."""
    email = _email(press.speaking(edition.language), edition, tokens)
    return Email(to, email.subject, email.text, email.html, message_id, email.sender, email.headers)


def subject(edition: Edition, editorial: Editorial = NONE, spoken: str = SOURCE) -> str:
    """Return the subject line: the editor's, or the first article's title and how many more there are."""
    if editorial.subject:
        return editorial.subject
    others = len(edition.articles) - 1 + edition.more
    title = wording.excerpt(edition.articles[0].title, LONGEST_TITLE)
    if not others:
        return title
    return say_many(spoken, "%(title)s and %(num)s more", "%(title)s and %(num)s more", others, title=title)


def erratum(press: Press, words: Editorial, issue_id: int) -> Drafted:
    """Render the mail that says what was wrong with an issue."""
    marks = _marks()
    context = {
        "subject": say(press.site.language, "Correction to %(title)s", title=press.title),
        "note_html": words.html,
        "note_text": words.text,
        "issue_url": press.links.digest(issue_id),
    }
    return Drafted(_rendered(press, "erratum", context, marks), marks)


def _marks() -> dict[str, str]:
    return {
        name: f"hole-{secrets.token_hex(8)}-{name.replace('_', '-')}" for name in (UNSUBSCRIBE, PREFERENCES)
    }


def _email(press: Press, edition: Edition, tokens: dict[str, str]) -> Email:
    """Render an edition at full length, or, where that is too long for a mail, with shorter teasers."""
    context = {
        "title": press.title,
        "number": press.number,
        "subject": _one_line(legible(subject(edition, press.editorial, press.site.language))) or press.title,
        "note_html": press.editorial.html,
        "note_text": press.editorial.text,
        "date": press.date,
        "articles": edition.articles,
        "arranged": arranged(edition.articles),
        "more": edition.more,
        "cadence": press.cadence,
    }
    for summary, title in LENGTHS:
        lengths = {"summary_length": summary, "title_length": title}
        email = _rendered(press, "digest", {**context, **lengths}, tokens)
        if len(email.html.encode()) <= LARGEST and len(email.text.encode()) <= LARGEST_TEXT:
            break
    return email


def _rendered(press: Press, kind: str, given: dict[str, Any], tokens: dict[str, str]) -> Email:
    unsubscribe = press.links.unsubscribe(tokens[UNSUBSCRIBE])
    context = {
        **WORDS,
        **given,
        "site": press.site,
        "links": press.links,
        "home_url": press.links.to("/"),
        "web_url": press.links.issue(press.cadence, press.number),
        "unsubscribe_url": unsubscribe,
        "preferences_url": press.links.preferences(tokens[PREFERENCES]),
        "privacy_url": press.links.whole(press.site.privacy),
        "postal_address": press.postal_address,
        "accent": press.theme.accent_light,
        "accent_dark": press.theme.accent_dark,
    }
    render = press.templates.get_template
    return Email(
        to="",
        subject=_one_line(render(f"emails/{kind}/subject.txt").render(context)),
        text=render(f"emails/{kind}/body.txt").render(context),
        html=INLINER.inline(render(f"emails/{kind}/body.html").render(context)),
        message_id="",
        sender=press.sender,
        headers=_headers(press, unsubscribe, tokens[UNSUBSCRIBE]),
    )


def _headers(press: Press, unsubscribe: str, token: str) -> dict[str, str]:
    return {
        "List-Unsubscribe": f"<{unsubscribe}>" + _by_mail(press.leave_by_mail, token),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": list_id(press.site.name, press.domain),
        "Archived-At": f"<{press.links.issue(press.cadence, press.number)}>",
        # RFC 2369: where mail programs lead to from a list's menu.
        "List-Subscribe": f"<{press.links.to('/subscribe')}>",
        "List-Archive": f"<{press.links.to('/digests')}>",
        "List-Owner": f"<mailto:{mailbox(press.sender).address}>",
        "Feedback-ID": f"{press.number}:{press.cadence}:digest:{_sender_id(press.domain)}",
        "Precedence": "bulk",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }


def _by_mail(address: str, token: str) -> str:
    """Return the second way to leave: a mail to an address of their own, where such mail is worked on."""
    local, _, domain = address.rpartition("@")
    # The token has 44 characters of the 64 that a local part may have (RFC 5321 §4.5.3.1.1).
    if not domain or len(local) > LONGEST_LOCAL:
        return ""
    return f", <mailto:{local or 'leave'}+{token}@{domain}?subject=unsubscribe>"


def _sender_id(domain: str) -> str:
    """Return the constant last field of Feedback-ID, 5 to 15 characters."""
    return (re.sub(r"[^a-z0-9]", "", domain.lower()) + "sender")[:15]


def _opened(text: str, marks: dict[str, str]) -> str:
    for name, mark in marks.items():
        text = text.replace(mark, splice.hole(name))
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())
