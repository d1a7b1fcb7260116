"""The mails of this room, as they leave."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest

from blog.content.values import Site
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.email import Email
from blog.delivery.lint import lint
from blog.delivery.mime import serialise
from blog.delivery.models import OutboxMail
from blog.delivery.suppression import Reason
from blog.links import Links
from blog.subscribers import confirmation
from blog.subscribers.emails import Letterhead, already_subscribed_email, confirmation_email, render
from blog.subscribers.models import Subscriber
from blog.tokens import Purpose, Tokens
from tests.factories import make_subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
MESSAGE_ID = "<42@example.org>"
BASE = "https://news.example.org"


@pytest.fixture
def head(site: Site, tokens: Tokens) -> Letterhead:
    return Letterhead(site, Links(BASE), tokens, "Signal & System <news@example.org>")


def make(database: Database, tokens: Tokens, status: str = "pending") -> Subscriber:
    with database.transaction() as session:
        return make_subscriber(session, tokens, "jane@example.com", status=status)


def row_for(subscriber: Subscriber, kind: str = "confirm") -> OutboxMail:
    return OutboxMail(kind=kind, subject_id=subscriber.id, message_id=MESSAGE_ID)


def rendered(database: Database, head: Letterhead, row: OutboxMail) -> Email | None:
    with database.reading() as session:
        return render(session, row, head)


def elements(html: str) -> set[str]:
    found: set[str] = set()
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, _attributes: found.add(tag)  # type: ignore[method-assign]
    reader.feed(html)
    return found


@pytest.mark.parametrize("make_email", [confirmation_email, already_subscribed_email])
def test_each_mail_is_clean_and_short(database: Database, head: Letterhead, make_email: object) -> None:
    email = make_email(make(database, head.tokens), MESSAGE_ID, head)  # type: ignore[operator]
    raw = serialise(email, NOW)
    assert lint(raw) == []
    assert len(raw) < 12_000
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert "List-Unsubscribe" not in message, "a single mail is not a list's"
    assert "jane" not in email.text + email.html + email.subject
    assert "<img" not in email.html


def test_the_link_is_in_both_parts_and_confirms(database: Database, head: Letterhead) -> None:
    email = confirmation_email(make(database, head.tokens), MESSAGE_ID, head)
    (in_text,) = re.findall(r"^https://news\.example\.org/confirm/(\S+)$", email.text, re.MULTILINE)
    in_html = set(re.findall(r'href="https://news\.example\.org/confirm/([^"]+)"', email.html))
    assert in_html == {in_text}
    with database.reading() as session:
        assert confirmation.look(session, head.tokens, in_text).state == "ask"


def test_the_other_mail_opens_the_preferences(database: Database, head: Letterhead) -> None:
    row = make(database, head.tokens, "active")
    email = already_subscribed_email(row, MESSAGE_ID, head)
    (token,) = re.findall(r"^https://news\.example\.org/preferences/(\S+)$", email.text, re.MULTILINE)
    assert head.tokens.read_capability(Purpose.PREFERENCES, token) == row.public_id


def test_a_name_with_markup_stays_text(database: Database, head: Letterhead) -> None:
    hostile = Site(name="<b>News</b> & {{ 7*7 }} é", tagline="{% raw %}", accent="#2A3BE0")
    email = confirmation_email(
        make(database, head.tokens), MESSAGE_ID, Letterhead(hostile, head.links, head.tokens, head.sender)
    )
    assert lint(serialise(email, NOW)) == []
    assert email.subject == "Confirm your subscription to <b>News</b> & {{ 7*7 }} é"
    assert "&lt;b&gt;News&lt;/b&gt; &amp; {{ 7*7 }} é" in email.html
    assert "b" not in elements(email.html)


@pytest.mark.parametrize(
    ("status", "kind", "wanted"),
    [
        ("pending", "confirm", True),
        ("unsubscribed", "confirm", True),
        ("active", "confirm", False),
        ("active", "already_subscribed", True),
        ("unsubscribed", "already_subscribed", False),
        ("pending", "already_subscribed", False),
    ],
)
def test_a_mail_is_made_only_while_it_is_true(
    database: Database, head: Letterhead, status: str, kind: str, wanted: bool
) -> None:
    email = rendered(database, head, row_for(make(database, head.tokens, status), kind))
    assert (email is not None) is wanted
    if email:
        assert (email.to, email.message_id) == ("jane@example.com", MESSAGE_ID)


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.ERASED])
def test_one_who_complained_meanwhile_is_not_mailed(
    database: Database, head: Letterhead, reason: Reason
) -> None:
    row = make(database, head.tokens)
    with database.transaction() as session:
        suppression.suppress(session, row.address_hash, reason, NOW)
    assert rendered(database, head, row_for(row)) is None


def test_one_who_is_gone_is_not_mailed(database: Database, head: Letterhead) -> None:
    row = OutboxMail(kind="confirm", subject_id=4711, message_id=MESSAGE_ID)
    assert rendered(database, head, row) is None
