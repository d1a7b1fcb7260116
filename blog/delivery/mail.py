"""Single mails (confirmations and the like) through Flask-Mail, its faults mended by two small subclasses.

Flask-Mail 0.10 keeps its settings, its signal and `record_messages()`; what it does on the wire is ours. It
verifies no certificate, waits for ever, says the host's name, encodes `List-Unsubscribe`, lets a line break
start a header, sends 8-bit lines without end and mails another domain for some international names. Each of
these has a test that shows the fault in Flask-Mail itself, so that we notice when it is mended there.
"""

import contextlib
import smtplib
import ssl
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from flask_mail import Connection, Mail, Message, email_dispatched

from blog import clock
from blog.delivery import signing
from blog.delivery.email import Email
from blog.delivery.handover import MailError, MailRefused, MailUncertain, MailUnreachable, hand_over, said
from blog.delivery.headers import mailbox
from blog.delivery.mime import serialise
from blog.errors import UsageError
from blog.settings import Settings

__all__ = [
    "MailError", "MailRefused", "MailUncertain", "MailUnreachable", "NewsMail", "NewsMessage",
    "flask_config", "mail", "send",
]  # fmt: skip


class NewsMessage(Message):
    """Flask-Mail's message, made from an `Email`; its bytes are our serialiser's."""

    def __init__(self, email: Email, date: datetime) -> None:
        super().__init__(
            subject=email.subject,
            recipients=[email.to],
            body=email.text,
            html=email.html,
            sender=email.sender,
            date=date.timestamp(),
            extra_headers=email.headers,
        )
        self.msgId = email.message_id
        self.email = email
        self._date = date

    def as_bytes(self) -> bytes:
        """Return the bytes that go over the wire."""
        return serialise(self.email, self._date)

    def as_string(self) -> str:
        """Return the same as text; it is ASCII but for an international recipient."""
        return self.as_bytes().decode()


class NewsConnection(Connection):
    """Flask-Mail's connection: TLS verified, bounded in time, and exact about what became of a mail."""

    def configure_host(self) -> smtplib.SMTP:
        """Connect, secure and log in; raise `MailUnreachable` when any of it fails."""
        try:
            host = self._connected()
        except OSError as error:  # smtplib's errors are OSErrors too
            raise MailUnreachable(said(error)) from error
        try:
            self._secure(host)
        except OSError as error:
            host.close()
            raise MailUnreachable(said(error)) from error
        return host

    def _connected(self) -> smtplib.SMTP:
        options: dict[str, Any] = {
            "timeout": current_app.config["MAIL_TIMEOUT"],
            "local_hostname": current_app.config["MAIL_HELLO"],
        }
        server, port = self.mail.server, self.mail.port or 0
        if self.mail.use_ssl:
            return smtplib.SMTP_SSL(server, port, context=ssl.create_default_context(), **options)
        return smtplib.SMTP(server, port, **options)

    def _secure(self, host: smtplib.SMTP) -> None:
        if self.mail.use_tls:
            host.starttls(context=ssl.create_default_context())
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)

    def __exit__(self, *_: object) -> None:
        # What happened before counts; a relay that hangs up first must not hide it.
        if self.host is not None:
            with contextlib.suppress(OSError):
                self.host.quit()

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        """Hand one mail over and tell Flask-Mail's listeners; raise a `MailError` if it was not accepted."""
        if not isinstance(message, NewsMessage) or envelope_from is not None:
            raise TypeError("only a NewsMessage is sent here, from its own sender")
        raw = message.as_bytes()
        sign = signing.signer(current_app.config.get("MAIL_DKIM"))
        raw = sign(raw) + raw if sign else raw
        if self.host is not None:
            hand_over(self.host, message.email, raw)
        email_dispatched.send(current_app._get_current_object(), message=message)  # type: ignore[attr-defined]


class NewsMail(Mail):
    """Flask-Mail with the connection above."""

    def init_app(self, app: Flask) -> Any:
        """Read the settings from `app.config`; see `flask_config`."""
        app.config.setdefault("MAIL_TIMEOUT", 30.0)
        app.config.setdefault("MAIL_HELLO", "localhost")
        return super().init_app(app)

    def connect(self) -> NewsConnection:
        """Open a connection to the relay, as a context manager."""
        return NewsConnection(current_app.extensions["mail"])


mail = NewsMail()


def flask_config(settings: Settings) -> dict[str, Any]:
    """Return the settings under the names that Flask-Mail reads."""
    try:
        hello = mailbox(settings.sender).address.rpartition("@")[2]
    except ValueError as error:
        raise UsageError(f"BLOG_MAIL_DEFAULT_SENDER: {error}") from None
    return {
        "MAIL_SERVER": settings.mail_server,
        "MAIL_PORT": settings.mail_port,
        "MAIL_USERNAME": settings.mail_username or None,
        "MAIL_PASSWORD": settings.mail_password.get_secret_value() or None,
        "MAIL_USE_TLS": settings.mail_use_tls,
        "MAIL_USE_SSL": settings.mail_use_ssl,
        "MAIL_DEFAULT_SENDER": settings.sender,
        "MAIL_TIMEOUT": settings.mail_timeout,
        "MAIL_HELLO": hello,
        "MAIL_DKIM": signing.ordered(settings),
    }


def send(email: Email) -> None:
    """Send one mail now, inside an application context; raise a `MailError` when it was not accepted."""
    mail.send(NewsMessage(email, clock.now()))
