"""The mails of this room, as they leave."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path

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
from blog.subscribers.emails import Letterhead, render
from blog.subscribers.models import AddressChange, Mail, Subscriber
from blog.subscribers.welcome import Teaser
from blog.tokens import Purpose, Tokens
from tests.factories import make_subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
MESSAGE_ID = "<42@example.org>"
BASE = "https://news.example.org"
WELCOME = """---
subject: Glad that you are here
---
Hello. Start with [the page about us](/about), or:

- read **everything**
- read <script>alert(1)</script> nothing
"""


@pytest.fixture
def head(site: Site, tokens: Tokens, tmp_path: Path) -> Letterhead:
    (tmp_path / "emails").mkdir()
    (tmp_path / "emails" / "welcome.md").write_text(WELCOME, encoding="utf-8")
    return Letterhead(
        site,
        Links(BASE),
        tokens,
        "Signal & System <news@example.org>",
        "Example Ltd, 1 High Street",
        tmp_path,
        lambda _session: [Teaser("A first article", f"{BASE}/articles/a-first", "What it is about.", "en")],
    )


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


def confirmation_email(database: Database, head: Letterhead) -> Email:
    email = rendered(database, head, row_for(make(database, head.tokens)))
    assert email is not None
    return email


def prepared(database: Database, head: Letterhead, kind: Mail) -> OutboxMail:
    """Return the outbox row of a mail that is needed now."""
    status = {Mail.CONFIRM: "pending", Mail.REMINDER: "pending", Mail.LEFT: "unsubscribed"}
    person = make(database, head.tokens, status.get(kind, "active"))
    with database.transaction() as session:
        person = session.merge(person)
        person.confirmed_at, person.account_nonce = NOW, "a" * 32
        change = AddressChange(
            subscriber_id=person.id,
            nonce="b" * 32,
            old_address="jane@example.com",
            email="jane.new@example.org",
            address="jane.new@example.org",
            address_key="jane.new@example.org",
            address_hash="c" * 64,
            created_at=NOW,
        )
        session.add(change)
        session.flush()
        subject = change.id if kind in (Mail.MOVE, Mail.MOVED) else person.id
    return OutboxMail(kind=kind, subject_id=subject, message_id=MESSAGE_ID)


@pytest.mark.parametrize("kind", list(Mail))
def test_each_mail_is_clean_and_short(database: Database, head: Letterhead, kind: Mail) -> None:
    email = rendered(database, head, prepared(database, head, kind))
    assert email is not None
    assert email.to == ("jane.new@example.org" if kind is Mail.MOVE else "jane@example.com")
    raw = serialise(email, NOW)
    assert lint(raw) == []
    assert len(raw) < 20_000
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    a_list_s = kind is Mail.WELCOME
    assert ("List-Unsubscribe" in message) is a_list_s, "an answer to a form is not a list's mail"
    assert "jane" not in email.text + email.html + email.subject
    assert "<img" not in email.html


def test_the_link_is_in_both_parts_and_confirms(database: Database, head: Letterhead) -> None:
    email = confirmation_email(database, head)
    (in_text,) = re.findall(r"^https://news\.example\.org/confirm/(\S+)$", email.text, re.MULTILINE)
    in_html = set(re.findall(r'href="https://news\.example\.org/confirm/([^"]+)"', email.html))
    assert in_html == {in_text}
    with database.reading() as session:
        assert confirmation.look(session, head.tokens, in_text).state == "ask"


def test_the_other_mail_opens_the_preferences(database: Database, head: Letterhead) -> None:
    row = make(database, head.tokens, "active")
    email = rendered(database, head, row_for(row, "already_subscribed"))
    assert email is not None
    (token,) = re.findall(r"^https://news\.example\.org/preferences/(\S+)$", email.text, re.MULTILINE)
    assert head.tokens.read_capability(Purpose.PREFERENCES, token) == row.public_id


def test_a_name_with_markup_stays_text(database: Database, head: Letterhead) -> None:
    hostile = Site(name="<b>News</b> & {{ 7*7 }} é", tagline="{% raw %}", accent="#2A3BE0")
    email = confirmation_email(database, Letterhead(hostile, head.links, head.tokens, head.sender))
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


def test_the_welcome_is_the_publishers_own_file_with_the_latest_articles(
    database: Database, head: Letterhead
) -> None:
    email = rendered(database, head, prepared(database, head, Mail.WELCOME))
    assert email is not None
    assert email.subject == "Glad that you are here"
    assert f'href="{BASE}/about"' in email.html
    assert f"the page about us <{BASE}/about>" in " ".join(email.text.split())
    for part in (email.text, email.html):
        assert f"{BASE}/articles/a-first" in part
        assert f"{BASE}/unsubscribe/" in part
        assert "1 High Street" in part
    assert "<script" not in email.html


def test_without_a_file_there_is_no_welcome(database: Database, head: Letterhead) -> None:
    assert head.content_dir is not None
    (head.content_dir / "emails" / "welcome.md").unlink()
    assert rendered(database, head, prepared(database, head, Mail.WELCOME)) is None


def test_a_receipt_is_not_sent_once_somebody_is_back(database: Database, head: Letterhead) -> None:
    row = prepared(database, head, Mail.LEFT)
    with database.transaction() as session:
        session.get_one(Subscriber, row.subject_id).status = "active"
    assert rendered(database, head, row) is None
