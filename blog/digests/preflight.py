"""What must be right before an issue may leave; whatever is not, is named, and stops it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import parseaddr
from html import unescape
from urllib.parse import unquote, urlsplit

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from blog.articles import redirects
from blog.articles.live import live
from blog.articles.models import Article, ArticleTopic, Page
from blog.content.checks.atlas import FIXED
from blog.delivery.email import Email
from blog.delivery.lint_html import LARGEST
from blog.digests.compose import Press
from blog.digests.models import Issue
from blog.errors import UsageError
from blog.settings import Settings

_HREF = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')
_IMAGE = re.compile(r"<img\b[^>]*>")
#: Addresses whose last part only the running site can judge, or that are made for each reader.
_UNJUDGED = re.compile(r"/(unsubscribe|preferences|media|pictures|static|cards|sketches|sitemaps|authors)/")


class NotReady(UsageError):
    """The issue must not leave as it is; the message has a line for each reason."""


@dataclass
class Mails:
    """What has to be judged of an issue's mails: a thousand of them need not be kept for that."""

    addresses: set[str] = field(default_factory=set)
    problems: dict[str, None] = field(default_factory=dict)

    def look_at(self, email: Email) -> None:
        """Note where a mail leads, and what is wrong with it by itself."""
        self.addresses.update(unescape(found) for found in _HREF.findall(email.html))
        self.problems |= dict.fromkeys([*_size(email), *_pictures(email.html, good=r'\balt="')])


def check(session: Session, settings: Settings, press: Press, mails: Mails) -> None:
    """Raise `NotReady` with every problem of an issue and its mails."""
    found = problems(session, settings, press, mails)
    if found:
        raise NotReady("\n".join(found))


def problems(session: Session, settings: Settings, press: Press, mails: Mails) -> list[str]:
    """Return every problem of an issue and its mails, each in one line: what, where, how to mend it."""
    found = [*_sender(settings, press), *_pages(session, press, mails.addresses)]
    # A template's own ornament may have an empty text; a picture in a note says something.
    found += _pictures(press.editorial.html, good=r'\balt="[^"]+"')
    return list(dict.fromkeys([*found, *mails.problems]))


def _sender(settings: Settings, press: Press) -> Iterator[str]:
    if settings.is_local:
        return
    if not settings.postal_address:
        yield (
            "BLOG_POSTAL_ADDRESS: missing; a digest must say where its sender is reached by post, "
            "so none is sent"
        )
    domain = parseaddr(press.sender)[1].rpartition("@")[2].lower()
    expected = str(press.site.digests.get("sender_domain", settings.host)).lower()
    if _registered(domain) != _registered(expected):
        yield (
            f"BLOG_MAIL_DEFAULT_SENDER: mail would come from {domain}, the site is at {expected}; use an "
            f'address there, or write sender_domain = "{domain}" under [digests] in site.toml'
        )


def _size(email: Email) -> Iterator[str]:
    size = len(email.html.encode())
    if size > LARGEST:
        yield (
            f"the mail “{email.subject}” has {size:,} octets of HTML, {LARGEST:,} are allowed: Gmail cuts "
            "longer ones off, with the link to unsubscribe; shorten the note or the descriptions"
        )


def _pictures(html: str, good: str) -> Iterator[str]:
    for picture in _IMAGE.findall(html):
        if not re.search(good, picture):
            source = re.search(r'\bsrc="([^"]*)"', picture)
            yield (
                f"the picture {source[1] if source else '?'} has no alt text; say what it shows, for those "
                "who do not see it: ![what it shows](address)"
            )


def _pages(session: Session, press: Press, addresses: Iterable[str]) -> Iterator[str]:
    for address in sorted(addresses):
        path = _own_path(address, press.links.base)
        if path is not None and not _leads_somewhere(session, press, path):
            yield f"the link {address} leads nowhere; mend the address, or take the link away"


def _own_path(address: str, base: str) -> str | None:
    """Return the path of a link to our own site; None for one that leads elsewhere."""
    if not address.startswith((f"{base}/", "/")) and address != base:
        return None
    return unquote(urlsplit(address).path).rstrip("/") or "/"


def _leads_somewhere(session: Session, press: Press, path: str) -> bool:
    if path in FIXED or _UNJUDGED.match(path) or press.links.to(path) == _itself(press):
        return True
    kind, _, slug = path.removeprefix("/").partition("/")
    site = press.site
    if kind == "articles" and _is_live(session, press, slug):
        return True
    if kind == "topics" and slug:
        known = slug in {topic.slug for topic in site.topics}
        return known or bool(session.scalar(select(exists().where(ArticleTopic.topic == slug))))
    if kind == "series" and slug:
        return bool(session.scalar(select(exists().where(Article.series == slug))))
    if kind == "digests" and slug.isdigit():
        return bool(session.scalar(select(exists().where(Issue.id == int(slug), ~Issue.in_review))))
    if not slug and session.get(Page, kind) is not None:
        return True
    return redirects.target(session, path, press.date) is not None


def _itself(press: Press) -> str:
    """Return where this very issue is going to be read on the web."""
    return press.links.issue(press.cadence, press.number)


def _is_live(session: Session, press: Press, slug: str) -> bool:
    return bool(session.scalar(select(exists().where(Article.slug == slug, *live(press.date)))))


def _registered(domain: str) -> str:
    """Return the part of a domain that is compared: its last two labels, or three under a short suffix."""
    labels = domain.split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if short else labels[-2:])
