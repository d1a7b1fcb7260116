"""Leaving by a mail to the address in List-Unsubscribe: as good as the link, and no better."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog import clock
from blog.bounces import intake, leaving
from blog.bounces.reports import Door, Tally
from blog.bounces.settling import Fate
from blog.delivery import suppression
from blog.delivery.models import Variant
from blog.delivery.suppression import Reason
from blog.settings import Settings
from blog.subscribers.consent import Method
from blog.subscribers.models import ConsentEvent
from blog.tokens import Purpose
from blog.web.pieces import Services
from tests.bounces.letters import dsn
from tests.bounces.test_settling import delivery, everything, issue, status
from tests.commanding import blog_json
from tests.digests.test_plan import NOW, article, subscriber

__all__ = ["issue"]


def address(services: Services, name: str = "ada", purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
    token = services.tokens.capability(purpose, delivery(services, name).public_id)
    return f"bounces+{token}@example.org"


def mail(to: str, *more: str) -> bytes:
    lines = ["From: Ada <ada@example.org>", f"To: <{to}>", "Subject: unsubscribe", *more, "", "", ""]
    return "\r\n".join(lines).encode()


def take(services: Services, raw: bytes) -> Fate | None:
    return intake.take_mail(services.database, services.tokens, raw, Door.MAILBOX, clock.now(), Tally())


def test_a_mail_to_it_ends_the_subscription_and_the_record_says_how(services: Services, issue: int) -> None:
    assert take(services, mail(address(services))) is Fate.APPLIED
    assert (status(services), status(services, "bob")) == ("unsubscribed", "active")
    with services.database.reading() as session:
        reason = suppression.reason_for(session, delivery(services).address_hash)
        left = session.query(ConsentEvent).filter_by(event="withdrawn").one()
    assert (reason, left.method) == (Reason.UNSUBSCRIBED, Method.MAIL)
    before = everything(services)
    assert take(services, mail(address(services))) is Fate.APPLIED  # and once more changes nothing
    assert everything(services) == before


@pytest.mark.sqlite
def test_whatever_proves_nothing_or_comes_by_itself_changes_nothing(services: Services, issue: int) -> None:
    before, mine = everything(services), address(services)
    turned = mine.replace(mine[12], "A" if mine[12] != "A" else "B")
    for raw in (
        mail(turned),
        mail(mine.lower()),
        mail(address(services, purpose=Purpose.PREFERENCES)),
        mail("bounces@example.org"),
        mail("bounces@example.org", f"Subject: {mine}"),
        mail("bounces@example.org").rstrip() + f"\r\n\r\n{mine}".encode(),
        mail(mine, "Auto-Submitted: auto-replied"),
        mail(mine, "Return-Path: <>"),
        dsn("nobody@example.org", returned=f"List-Unsubscribe: <mailto:{mine}>\r\n".encode()),
    ):
        assert take(services, raw) in (None, Fate.UNKNOWN), raw
    assert everything(services) == before


@given(st.binary(max_size=300), st.text(max_size=80))
def test_no_bytes_make_the_reader_raise(raw: bytes, to: str) -> None:
    leaving.tokens_in(raw)
    leaving.tokens_in(f"To: {to}\r\n\r\n".encode("utf-8", "replace"))


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("bounce_address", "mailbox", "expected"),
    [
        ("bounces@example.org", "imap://b@localhost", "<mailto:bounces+"),
        ("@bounces.example.org", "imap://b@localhost", "<mailto:leave+"),
        ("bounces@example.org", "", None),
        ("a-name-that-is-too-long@example.org", "imap://b@localhost", None),
    ],
)
def test_the_header_names_the_address_where_somebody_reads_what_comes_there(
    services: Services, settings: Settings, bounce_address: str, mailbox: str, expected: str | None
) -> None:
    article(services, "a-first-article", NOW)
    subscriber(services, "ada@example.org")
    given_ = {"bounce_address": bounce_address, "bounce_mailbox": mailbox}
    told = blog_json(settings, "digest", "run", "--cadence", "weekly", **given_)
    assert told["eligible"] == 1
    with services.database.reading() as session:
        template = session.query(Variant).one().template.decode()
    header = template[template.index("List-Unsubscribe: ") :].split("\r\nList-Unsubscribe-Post")[0]
    if expected is None:
        assert "mailto" not in header
        return
    assert header.endswith("?subject=unsubscribe>")
    assert f">,\r\n {expected}\0unsubscribe\0@" in header
