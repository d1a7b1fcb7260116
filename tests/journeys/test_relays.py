"""An issue through real mail servers, as people run them: to mailboxes, and back where there is none."""

import email
import os
import pwd
import re
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import policy
from pathlib import Path

import pytest

from blog import clock
from blog.delivery.lint import lint
from blog.delivery.replies import Envelope
from blog.delivery.smtp import Connection, Relay, Security, Unreachable
from blog.delivery.waiting import finish
from blog.settings import Settings
from blog.web.pieces import Services
from tests.bounces.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.commanding import blog, blog_json
from tests.digests.test_plan import article, subscriber
from tests.opensmtpd import opensmtpd
from tests.postfix import Postfix, postfix

pytestmark = pytest.mark.slow

READERS = 20


@contextmanager
def destination(box: Dovecot) -> Iterator[Postfix]:
    """The server where the readers' mailboxes are, and ours for what comes back, which dovecot serves."""
    box.deliver()  # nothing yet, but there it is
    mail = pwd.getpwnam("mail")
    readers = box.folder.parent / "readers"
    readers.mkdir()
    os.chown(readers, mail.pw_uid, mail.pw_gid)
    known = " ".join(f"{{r{n}@example.com=readers/r{n}/}}" for n in range(READERS))
    with postfix(
        "mx.example.com",
        virtual_mailbox_domains="example.com, example.org",
        virtual_mailbox_base=str(box.folder.parent),
        virtual_mailbox_maps=f"inline:{{ {{bounces@example.org=mail/}} {known} }}",
        virtual_minimum_uid="1",
        virtual_uid_maps=f"static:{mail.pw_uid}",
        virtual_gid_maps=f"static:{mail.pw_gid}",
    ) as server:
        yield server


@contextmanager
def submission(box: Dovecot, onwards: Postfix) -> Iterator[Postfix]:
    """The relay that takes our mail, after STARTTLS and with a password, and brings it there."""
    with postfix(
        "relay.example.org",
        relayhost=f"[127.0.0.1]:{onwards.port}",
        smtpd_tls_security_level="encrypt",
        smtpd_tls_cert_file=str(box.certificate),
        smtpd_tls_key_file=str(box.certificate.parent / "key.pem"),
        smtpd_sasl_auth_enable="yes",
        smtpd_sasl_type="dovecot",
        smtpd_sasl_path=f"inet:127.0.0.1:{box.ports['auth']}",
        smtpd_relay_restrictions="permit_sasl_authenticated, reject",
        smtp_tls_security_level="none",
    ) as server:
        yield server


def planned(services: Services, settings: Settings, *more: str) -> str:
    """Plan an issue for the readers, and for some whose mailbox is not there; return its number."""
    article(services, "a-first-article", clock.now() - timedelta(days=1))
    for name in (*(f"r{n}" for n in range(READERS)), *more):
        subscriber(services, f"{name}@example.com")
    ours = {"bounce_address": "bounces@example.org", "bounce_mailbox": "imap://bounces@localhost"}
    return str(blog_json(settings, "digest", "run", "--cadence", "weekly", **ours)["issue"])


def leaves_by_mail(raw: bytes, mx: Postfix, box: Dovecot) -> None:
    """Have a reader's program write to the address that the mail names for that."""
    named = email.message_from_bytes(raw, policy=policy.default)["List-Unsubscribe"]
    found = re.search(r"<mailto:([^?>]+)\?subject=unsubscribe>", named)
    assert found
    with smtplib.SMTP("127.0.0.1", mx.port) as server:
        server.sendmail("r0@example.com", found[1], f"To: {found[1]}\r\nSubject: unsubscribe\r\n\r\n")
    wait_for(lambda: len(list((box.folder / "new").glob("*"))) == 1, mx)


def wait_for(what: Callable[[], bool], server: Postfix) -> None:
    for _ in range(200):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError(server.log())


def mailbox(folder: Path, name: str) -> list[bytes]:
    """Return the mail of one reader."""
    return [path.read_bytes() for path in (folder / name / "new").glob("*")]


def is_as_it_was_sent(raw: bytes) -> None:
    """Judge a mail as its reader has it: what came on top on its way is not ours."""
    message = email.message_from_bytes(raw, policy=policy.default)
    assert message["List-Unsubscribe"].startswith("<https://news.example.org/unsubscribe/")
    assert message["Return-Path"].startswith("<bounces+d")
    ours = raw[raw.index(b"X-Delivery:") :].replace(b"\n", b"\r\n")
    assert lint(ours) == []


def goes_there_and_back(
    settings: Settings, given: dict[str, str], issue: str, box: Dovecot, mx: Postfix
) -> None:
    """Send an issue and take in what bounces: everybody has it once, and who has no mailbox is known."""
    blog(settings, "worker", "--until-idle", **given)
    assert blog_json(settings, "digest", "status", issue)["accepted"] == READERS + 2
    readers = box.folder.parent / "readers"
    wait_for(lambda: sum(len(mailbox(readers, f"r{n}")) for n in range(READERS)) == READERS, mx)
    for number in range(READERS):
        assert len(mailbox(readers, f"r{number}")) == 1
    is_as_it_was_sent(mailbox(readers, "r0")[0])
    wait_for(lambda: len(list((box.folder / "new").glob("*"))) == 2, mx)
    tally = blog_json(settings, "bounces", "poll", **given)
    assert (tally["applied"], tally["kinds"]) == (2, {"hard": 2})
    account = blog_json(settings, "digest", "status", issue)
    assert (account["eligible"], account["accepted"], account["bounced"]) == (READERS + 2, READERS, 2)
    for name, status in (("gone", "bounced"), ("nobody", "bounced"), ("r0", "active")):
        assert blog_json(settings, "subscribers", "show", f"{name}@example.com")["status"] == status


@pytest.mark.sqlite
def test_through_postfix_with_starttls_and_a_password_to_mailboxes_and_bounces_back_into_ours(
    services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = planned(services, settings, "gone", "nobody")
    with dovecot() as box, destination(box) as mx, submission(box, mx) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(box.certificate))
        given = {
            "mail_port": str(server.port), "mail_use_tls": "true", "mail_username": USER,
            "mail_password": PASSWORD,
            "bounce_address": "bounces@example.org", "bounce_mailbox": box.address("imap"),
            "bounce_mailbox_password": PASSWORD,
        }  # fmt: skip
        here = "127.0.0.1", server.port, "news.example.org"
        with pytest.raises(Unreachable, match=r"login refused: 535 5\.7\.8"):
            finish(Connection(Relay(*here, Security.STARTTLS, USER, "wrong")).open())
        clear = Connection(Relay(*here))
        finish(clear.open())
        said = finish(clear.exchange(None, Envelope("news@example.org", "r0@example.com"))).envelope
        finish(clear.quit())
        assert "Must issue a STARTTLS command first" in str(said)
        goes_there_and_back(settings, given, issue, box, mx)
        leaves_by_mail(mailbox(box.folder.parent / "readers", "r0")[0], mx, box)
        assert blog_json(settings, "bounces", "poll", **given)["kinds"] == {"left": 1}
        assert blog_json(settings, "subscribers", "show", "r0@example.com")["status"] == "unsubscribed"
        # In groups over a few connections: the relay says who came, and what each connection did.
        done = [line for line in server.log().splitlines() if " auth=1 mail=" in line]
        assert 1 <= len(done) <= settings.smtp_connections


@pytest.mark.sqlite
def test_through_opensmtpd_which_knows_no_pipelining(services: Services, settings: Settings) -> None:
    issue = planned(services, settings, "gone", "nobody")
    with dovecot() as box, destination(box) as mx, opensmtpd(mx.port) as port:
        plain = Connection(Relay("127.0.0.1", port, "news.example.org"))
        finish(plain.open())
        assert "PIPELINING" not in plain.features
        finish(plain.quit())
        given = {
            "mail_port": str(port), "bounce_address": "bounces@example.org",
            "bounce_mailbox": box.address("pop3"), "bounce_mailbox_password": PASSWORD,
        }  # fmt: skip
        goes_there_and_back(settings, given, issue, box, mx)
