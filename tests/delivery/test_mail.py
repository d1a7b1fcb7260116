"""Single mails over a real server: what Flask-Mail gets wrong, and that ours does not.

Each test of `stock` shows a fault of Flask-Mail itself. When one of them fails, it is mended there, and what
we do about it can go.
"""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_mail import Mail, Message, sanitize_address

from blog.delivery.email import Email
from blog.delivery.lint import lint
from blog.delivery.mail import (
    MailRefused,
    MailUncertain,
    MailUnreachable,
    NewsMail,
    NewsMessage,
    flask_config,
    mail,
    send,
)
from blog.errors import UsageError
from blog.settings import load_settings
from tests.relay import EXTENSIONS, Script, relay
from tests.smtp_server import Server, certificate, free_port, smtp_server

LONG_URL = "<https://news.example.org/unsubscribe/" + "t" * 120 + ">"
LEAVE = "https://news.example.org/unsubscribe/" + "t" * 120
HTML = (
    '<!doctype html><html lang="en" dir="ltr"><head><title>Héllo</title></head>'
    f'<body><div lang="en" dir="ltr"><h1>From here</h1><p><a href="{LEAVE}">{LEAVE}</a></p>'
    "<p>{}</p></div></body></html>"
)
#: Flask-Mail's own faults go over the wire here; what is ours is judged test by test.
pytestmark = pytest.mark.unlinted


@pytest.fixture
def server() -> Iterator[Server]:
    with smtp_server() as server:
        yield server


def app_for(port: int, mailer: Mail = mail, **config: object) -> Flask:
    app = Flask("test")
    app.config.update(
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=port,
        MAIL_DEFAULT_SENDER="News <news@example.org>",
        MAIL_TIMEOUT=5.0,
        MAIL_HELLO="news.example.org",
        **config,
    )
    mailer.init_app(app)
    return app


def make(**changes: object) -> Email:
    values: dict[str, object] = {
        "to": "jane@example.com",
        "subject": "Héllo",
        "text": f"é\n.\n..\nFrom here\n{LEAVE}\n" + "x" * 1500 + "é\n",
        "html": HTML.format("x" * 1500 + "é"),
        "message_id": "<42.abc@example.org>",
        "sender": "Näws, daily <news@example.org>",
        "headers": {
            "List-Id": "News <digest.example.org>",
            "List-Unsubscribe": LONG_URL,
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF, AutoReply",
        },
    }
    return Email(**{**values, **changes})  # type: ignore[arg-type]


def deliver(port: int, email: Email, **config: object) -> None:
    with app_for(port, **config).app_context():
        send(email)


def stock(port: int, message_options: dict[str, object], **config: object) -> None:
    app = app_for(port, Mail(), **config)
    with app.app_context():
        app_mail = Mail(app)
        app_mail.send(Message("Hello", body="Hello", **message_options))  # type: ignore[arg-type]


def test_a_mail_arrives_as_it_was_written(server: Server) -> None:
    deliver(server.port, make())
    (taken,) = server.taken
    assert lint(taken.raw) == []
    assert (taken.sender, taken.recipients) == ("news@example.org", ["jane@example.com"])
    assert f"SIZE={len(taken.raw)}" in taken.options
    assert b"\r\n.\r\n..\r\nFrom here\r\n" in taken.raw.replace(b"=2E", b".")


def test_stock_encodes_a_long_unsubscribe_address(server: Server) -> None:
    stock(server.port, {"recipients": ["a@b.co"], "extra_headers": {"List-Unsubscribe": LONG_URL}})
    assert b"List-Unsubscribe: =?utf-8?" in server.taken[0].raw.replace(b"\r\n ", b" ").replace(b"  ", b" ")


def test_ours_keeps_a_long_unsubscribe_address(server: Server) -> None:
    deliver(server.port, make())
    assert f"\r\nList-Unsubscribe: {LONG_URL}\r\n".encode() in server.taken[0].raw


def test_stock_lets_a_line_break_begin_a_header(server: Server) -> None:
    stock(server.port, {"recipients": ["a@b.co"], "extra_headers": {"X": "a\r\nBcc: eve@example.org"}})
    assert b"\r\nBcc: eve@example.org\r\n" in server.taken[0].raw


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "jane@example.com\r\nRCPT TO:<eve@example.org>"},
        {"subject": "Hello\r\nBcc: eve@example.org"},
        {"sender": "News\r\nBcc: eve@example.org <news@example.org>"},
        {"message_id": "<a@b>\r\nBcc: eve@example.org"},
        {"headers": {"Feedback-ID": "a\r\nBcc: eve@example.org"}},
        {"headers": {"X-Evil\r\nBcc": "eve@example.org"}},
    ],
)
def test_ours_refuses_trickery_before_a_byte_leaves(server: Server, changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        deliver(server.port, make(**changes))
    assert server.taken == []


def test_stock_sends_undeclared_eight_bit_text_on_lines_without_end(server: Server) -> None:
    stock(server.port, {"recipients": ["a@b.co"], "html": "<p>é" + "x" * 900})
    (taken,) = server.taken
    assert "é".encode() in taken.raw
    assert not any(option.startswith("BODY=") for option in taken.options)
    with pytest.raises(OSError, match="too long"):
        stock(server.port, {"recipients": ["a@b.co"], "html": "<p>" + "x" * 1500})


def test_stock_mails_another_domain() -> None:
    assert sanitize_address("a@straße.de") == "a@strasse.de"


def test_ours_mails_the_domain_that_was_meant(server: Server) -> None:
    from blog.delivery.addresses import parse

    deliver(server.port, make(to=parse("a@straße.de").wire))
    assert server.taken[0].recipients == ["a@xn--strae-oqa.de"]


def test_stock_repeats_a_message_id_and_a_date(server: Server) -> None:
    given = {"Message-ID": "<mine@example.org>", "Date": "Fri, 30 May 2025 09:00:00 +0000"}
    stock(server.port, {"recipients": ["a@b.co"], "extra_headers": given})
    assert server.taken[0].raw.lower().count(b"\r\nmessage-id:") == 2
    assert server.taken[0].raw.count(b"\r\nDate:") == 2


def test_ours_has_one_message_id_and_one_date(server: Server) -> None:
    deliver(server.port, make())
    raw = server.taken[0].raw
    assert raw.count(b"\r\nMessage-ID: <42.abc@example.org>\r\n") == 1
    assert raw.lower().count(b"message-id:") == 1
    assert raw.count(b"\r\nDate:") == 1


def test_ours_greets_by_the_name_it_was_given(server: Server) -> None:
    deliver(server.port, make())
    assert server.taken[0].hello == "news.example.org"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


def test_stock_accepts_any_certificate(tls: tuple[Path, ssl.SSLContext]) -> None:
    with smtp_server(tls_context=tls[1]) as server:
        stock(server.port, {"recipients": ["a@b.co"]}, MAIL_USE_TLS=True)
        assert len(server.taken) == 1


def test_ours_refuses_a_certificate_that_nobody_vouches_for(tls: tuple[Path, ssl.SSLContext]) -> None:
    with smtp_server(tls_context=tls[1]) as server:
        with pytest.raises(MailUnreachable, match="certificate verify failed"):
            deliver(server.port, make(), MAIL_USE_TLS=True)
        assert server.taken == []


def test_ours_uses_tls_where_the_certificate_is_trusted(
    tls: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
    with smtp_server(tls_context=tls[1], require_starttls=True) as server:
        deliver(server.port, make(), MAIL_USE_TLS=True)
        assert len(server.taken) == 1


def test_ours_never_falls_back_to_the_clear(server: Server) -> None:
    with pytest.raises(MailUnreachable, match="STARTTLS"):
        deliver(server.port, make(), MAIL_USE_TLS=True)
    assert server.taken == []


def test_a_relay_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(MailUnreachable):
        deliver(free_port(), make())


@pytest.mark.parametrize(
    ("reply", "permanent"),
    [
        ("rcpt 550 5.1.1 <jane@example.com> unknown here", True),
        ("rcpt 450 4.2.1 later", False),
        ("dot 554 5.7.1 no", True),
        ("dot 451 4.3.0 later", False),
    ],
)
def test_a_refusal_says_whether_it_is_for_good(server: Server, reply: str, permanent: bool) -> None:
    server.refusals["jane@example.com"] = reply
    with pytest.raises(MailRefused) as error:
        deliver(server.port, make())
    assert error.value.permanent is permanent
    assert "jane" not in error.value.reply
    assert error.value.reply.startswith(reply.split()[1])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("mail 421", MailUnreachable),
        ("drop after dot, accepted", MailUncertain),
        ("drop after dot, refused", MailUncertain),
    ],
)
def test_a_lost_connection_says_whether_the_mail_may_have_left(fault: str, kind: type[Exception]) -> None:
    with relay(Script(fault=lambda _: fault)) as other, pytest.raises(kind):
        deliver(other.port, make())


def test_a_mail_that_is_too_large_is_not_even_offered() -> None:
    with relay(Script(extensions=("SIZE 1000",))) as small:
        with pytest.raises(MailRefused, match=r"552 5\.3\.4"):
            deliver(small.port, make())
        assert small.messages == []


def test_an_international_address_needs_a_relay_that_takes_it(server: Server) -> None:
    deliver(server.port, make(to="josé@example.org"))
    assert server.taken[0].recipients == ["josé@example.org"]
    assert "SMTPUTF8" in server.taken[0].options
    without = tuple(extension for extension in EXTENSIONS if extension != "SMTPUTF8")
    with relay(Script(extensions=without)) as older, pytest.raises(MailRefused, match=r"5\.6\.7"):
        deliver(older.port, make(to="josé@example.org"))


def test_messages_can_be_recorded_instead_of_sent() -> None:
    app = app_for(1, MAIL_SUPPRESS_SEND=True)
    with app.app_context(), mail.record_messages() as recorded:
        send(make())
    (message,) = recorded
    assert message.subject == "Héllo"
    assert message.as_string().startswith("From: ")
    assert isinstance(message, NewsMessage)


def test_a_message_that_did_not_go_through_our_rules_is_refused(server: Server) -> None:
    with app_for(server.port, NewsMail()).app_context(), pytest.raises(TypeError):
        mail.send(Message("Hello", ["a@b.co"], body="x"))


@pytest.mark.parametrize("sender", ["News news@example.org", "News <news@example.org", "N <a@b> c"])
def test_a_sender_that_is_no_mailbox_is_said_at_the_start(tmp_path: Path, sender: str) -> None:
    settings = load_settings(var_dir=tmp_path, mail_default_sender=sender)
    with pytest.raises(UsageError, match="BLOG_MAIL_DEFAULT_SENDER"):
        flask_config(settings)


def test_the_settings_keep_flask_mails_names(tmp_path: Path) -> None:
    settings = load_settings(
        site_url="http://127.0.0.1:8000", var_dir=tmp_path, mail_server="relay.example.org", mail_port=587,
        mail_use_tls=True, mail_username="u", mail_password="p", mail_default_sender="N <n@example.org>",
    )  # fmt: skip
    config = flask_config(settings)
    assert (config["MAIL_SERVER"], config["MAIL_PORT"]) == ("relay.example.org", 587)
    assert config["MAIL_HELLO"] == "example.org"
    assert (config["MAIL_USERNAME"], config["MAIL_PASSWORD"]) == ("u", "p")
    assert config["MAIL_USE_TLS"] is True
