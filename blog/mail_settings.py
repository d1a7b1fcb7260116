"""The settings of signatures, of bounces, and of the doors that these come in by."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

#: Hosts that are reached without a network, so that what is said needs no TLS.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST, SHORTEST_PASSWORD = 32, 16
_DOMAIN = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"


class MailSettings(BaseSettings):
    """The part of `Settings` that is about signed and returned mail; all of it is optional."""

    bounce_address: str = Field(
        "",
        description="Where bounces go: `bounces@example.org`, or `@bounces.example.org` for a whole domain",
    )

    dkim_keys: dict[str, Path] = Field(
        {},
        description='Selectors and files of the keys that sign mail here: `{"s1": "/etc/blog/dkim.pem"}`',
    )
    dkim_domain: str = Field("", description="Domain that signs mail; unset = the sender's")

    bounce_mailbox: str = Field(
        "",
        description="Mailbox that bounces come to: `imaps://name@host/INBOX` or `pop3s://name@host`",
    )
    bounce_mailbox_password: SecretStr = Field(SecretStr(""), description="Password of that mailbox")
    bounce_secrets: list[SecretStr] = Field(
        [], description="Keys (JSON list, newest first) of programs of yours that post to `/bounces/signed`"
    )
    ses_topics: list[str] = Field(
        [], description="Topics of Amazon SNS (JSON list of ARNs) that may post to `/bounces/ses`"
    )
    postmark_login: SecretStr = Field(
        SecretStr(""), description="`name:password` that Postmark shows at `/bounces/postmark`"
    )
    mailgun_signing_key: SecretStr = Field(
        SecretStr(""), description="Mailgun's HTTP webhook signing key, for `/bounces/mailgun`"
    )
    sendgrid_public_key: str = Field(
        "", description="SendGrid's verification key of signed events, for `/bounces/sendgrid`"
    )

    @field_validator("bounce_mailbox")
    @classmethod
    def _mailbox_is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        clear = parts.scheme in ("imap", "pop3")
        sound = (clear or parts.scheme in ("imaps", "pop3s")) and parts.hostname and parts.username
        if value and (not sound or parts.password or re.search(r"[^!-~]|%0|%1|%22|%5[cC]|[\"\\]", value)):
            raise ValueError(
                "expected imaps://name@host/INBOX or pop3s://name@host (an @ in the name is %40)"
            )
        return value

    @field_validator("bounce_secrets")
    @classmethod
    def _secrets_are_long(cls, value: list[SecretStr]) -> list[SecretStr]:
        if any(len(secret.get_secret_value()) < SHORTEST for secret in value):
            raise ValueError(f"too weak; use at least {SHORTEST} random characters")
        return value

    @field_validator("postmark_login")
    @classmethod
    def _login_has_two_parts(cls, value: SecretStr) -> SecretStr:
        name, _, password = value.get_secret_value().partition(":")
        if value.get_secret_value() and (not name or len(password) < SHORTEST_PASSWORD):
            raise ValueError(
                f"expected name:password, the password of {SHORTEST_PASSWORD} characters or more"
            )
        return value

    @field_validator("ses_topics")
    @classmethod
    def _topics_are_named(cls, value: list[str]) -> list[str]:
        if any(
            not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+", topic) for topic in value
        ):
            raise ValueError("expected ARNs such as arn:aws:sns:eu-west-1:123456789012:bounces")
        return value

    @field_validator("dkim_keys")
    @classmethod
    def _keys_are_private(cls, value: dict[str, Path]) -> dict[str, Path]:
        for selector, path in value.items():
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", selector):
                raise ValueError(f"{selector!r} is no selector; use letters, digits and hyphens")
            if not path.is_file():
                raise ValueError(f"there is no file {path}")
            if path.stat().st_mode & 0o007:
                raise ValueError(f"{path} can be read by everybody on this machine; run: chmod o= {path}")
        return value

    @field_validator("dkim_domain")
    @classmethod
    def _domain_is_a_name(cls, value: str) -> str:
        if value and not re.fullmatch(_DOMAIN, value):
            raise ValueError("expected a domain such as example.org")
        return value

    @field_validator("bounce_address")
    @classmethod
    def _bounces_have_an_address(cls, value: str) -> str:
        # Beside it stand a number and its mark, 37 characters at most, of 64 (RFC 5321 §4.5.3.1.1).
        if value and not re.fullmatch(r"[A-Za-z0-9._-]{0,24}@" + _DOMAIN, value):
            raise ValueError(
                "expected bounces@example.org, or @bounces.example.org where every name is taken"
            )
        return value
