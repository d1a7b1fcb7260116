"""Every setting, typed, read once, frozen; all mistakes are reported together."""

import os
import re
import secrets
import tomllib
from email.utils import formataddr
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableValue

from blog.errors import SettingsError
from blog.pace_settings import PaceSettings

ROOT = Path(__file__).resolve().parent.parent
IS_SOURCE_TREE = (ROOT / "migrations").is_dir()
#: Where templates and migrations lie: in the source tree beside the package, in an installed wheel inside it.
SHIPPED = ROOT if IS_SOURCE_TREE else ROOT / "blog" / "shipped"
#: Where content and data lie unless told: never among installed programs, where an upgrade deletes them.
HOME = ROOT if IS_SOURCE_TREE else Path.cwd()
SHORTEST_SECRET = 32
HOW_TO_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_hex(32))'"
PLACEHOLDERS = ("changeme", "change-me", "change_me", "your-secret", "secret-key")


class Settings(PaceSettings):
    """The settings: environment `BLOG_*` first, then `blog.toml`, then a running demo's, then the default."""

    model_config = SettingsConfigDict(
        env_prefix="BLOG_", frozen=True, extra="ignore", env_ignore_empty=True, toml_file="blog.toml"
    )

    database_url: str = Field("", description="SQLAlchemy URL; unset = SQLite under `var/`")
    site_url: str = Field("http://127.0.0.1:8000", description="Public address of the site, without a path")
    secret_key: SecretStr = Field(
        SecretStr(""), description="At least 32 characters; signs every link in a mail"
    )
    previous_secret_keys: list[SecretStr] = Field(
        [], description="Older secret keys (JSON list, newest first); their links keep working"
    )
    content_dir: Path = Field(HOME / "content", description="Folder with `site.toml`, `articles/`, `pages/`")
    var_dir: Path = Field(HOME / "var", description="Folder for the database, locks and caches")
    postal_address: str = Field(
        "", description="Printed under every digest, as the law asks in many countries"
    )
    mail_server: str = Field("localhost", description="Host name of the SMTP relay")
    mail_port: int = Field(25, ge=1, le=65535, description="Port of the SMTP relay")
    mail_username: str = Field("", description="User name at the relay; empty = no login")
    mail_password: SecretStr = Field(SecretStr(""), description="Password at the relay")
    mail_use_tls: bool = Field(False, description="Upgrade with STARTTLS; the certificate is verified")
    mail_use_ssl: bool = Field(False, description="TLS from the first byte; the certificate is verified")
    mail_default_sender: str = Field("", description="`Name <address>` that mails come from")
    mail_timeout: float = Field(30.0, gt=0, description="Seconds to wait for a relay's answer to a command")
    smtp_connections: int = Field(
        4, ge=1, le=64, description="Connections one worker keeps open while sending"
    )
    uncertain_policy: Literal["hold", "resend"] = Field(
        "hold",
        description="After a crash mid-hand-over: list and hold, or send once more with the same Message-ID",
    )
    broker_url: str = Field(
        "", description="Broker of Celery workers: `redis://…` or `amqp://…`; unset = the worker is embedded"
    )
    websub_hub: str = Field(
        "", description="WebSub hub that is told when something is published; empty = nobody is"
    )
    templates_dir: Path | None = Field(
        None, description="Folder with templates of your own; each replaces the one of the same name"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=9, description="Reverse proxies whose X-Forwarded-For is believed"
    )
    proof_of_work: int = Field(
        0,
        ge=0,
        le=24,
        description="Bits of work that a sign-up in a flood costs: 0 = one more button will do, 18 = seconds",
    )
    page_cache_mb: int = Field(
        6, ge=0, le=4096, description="Megabytes of ready pages that each process keeps in memory"
    )
    shared_cache_seconds: int = Field(
        60, ge=0, le=86400, description="How long a CDN may show a page without asking; 0 = it always asks"
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="What a Prometheus shows as its bearer token to read `/metrics`"
    )
    inbox_dir: Path | None = Field(None, description="Set by `blog demo`: where its inbox keeps mail")
    demo: bool = Field(
        False,
        validate_default=True,
        description="Set by `blog demo`: placeholders allowed, the development inbox shown",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings  # two places are enough to look in
        running = TomlConfigSettingsSource(settings_cls, toml_file=demo_file() if demo_is_running() else None)
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls), running

    @field_validator("site_url")
    @classmethod
    def _site_url_is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected an address such as https://news.example.org")
        if parts.path or parts.query or parts.fragment:
            raise ValueError("expected no path: the site lives at the root of its host")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_url_is_supported(cls, value: str) -> str:
        for short in ("postgres://", "postgresql://"):
            if value.startswith(short):
                return "postgresql+psycopg://" + value.removeprefix(short)
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("expected sqlite:///path/to/blog.db or postgresql+psycopg://user@host/name")
        return value

    @field_validator("websub_hub")
    @classmethod
    def _hub_is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        plain = parts.scheme == "http" and _is_loopback(parts.hostname or "")
        sound = (parts.scheme == "https" or plain) and parts.hostname and "@" not in parts.netloc
        if value and (not sound or re.search(r"[^!-~]|[<>\"]", value)):
            raise ValueError("expected an https address such as https://hub.example.org/")
        return value

    @field_validator("templates_dir")
    @classmethod
    def _templates_are_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError(f"there is no folder {value}")
        return value

    @field_validator("broker_url")
    @classmethod
    def _broker_is_supported(cls, value: str) -> str:
        if value and not re.match(r"(rediss?|amqps?)://[^\s/]", value):
            raise ValueError("expected redis://host:6379/0 or amqp://user:password@host:5672//")
        return value

    @field_validator("demo")
    @classmethod
    def _fits_together(cls, demo: bool, info: ValidationInfo) -> bool:
        # The last field sees the others; those that failed are missing, and reported already.
        problems = [*_secret_problems(info.data, demo), *_mail_problems(info.data, demo)]
        if problems:
            raise ValueError("\n".join(problems))
        return demo

    @property
    def is_local(self) -> bool:
        """Whether the site is on a loopback address, so that a public reader cannot reach it."""
        return _is_local(self.site_url, self.demo)

    @property
    def host(self) -> str:
        """The site's host name, without the port."""
        return urlsplit(self.site_url).hostname or "localhost"

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.var_dir / 'blog.db'}"

    @property
    def sender(self) -> str:
        """Who mails come from, as `Name <address>`."""
        domain = "localhost" if self.host[-1:].isdigit() or ":" in self.host else self.host
        return self.mail_default_sender or formataddr(("Newsletter", f"newsletter@{domain}"))

    @cached_property
    def key_ring(self) -> tuple[bytes, ...]:
        """The secret keys, newest first; on a loopback site one is made and kept under `var/`."""
        secret = self.secret_key.get_secret_value() or _kept_secret(self.var_dir)
        return (secret.encode(), *(key.get_secret_value().encode() for key in self.previous_secret_keys))


def demo_file() -> Path:
    """Return where a running demo leaves its settings, so that commands beside it work on the same site."""
    return Path(os.environ.get("BLOG_VAR_DIR") or HOME / "var") / "demo.toml"


def demo_is_running() -> bool:
    """Return whether the demo that left its settings is still alive."""
    try:
        os.kill(tomllib.loads(demo_file().read_text())["demo_process"], 0)
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError):
        return False
    return True


def _secret_problems(given: dict[str, Any], demo: bool) -> list[str]:
    secret = given["secret_key"].get_secret_value() if "secret_key" in given else "-"
    if not secret and not _is_local(given.get("site_url", "http://localhost"), demo):
        return [f"BLOG_SECRET_KEY: missing; make one with: {HOW_TO_MAKE_ONE}"]
    weak = len(secret) < SHORTEST_SECRET or any(word in secret.lower() for word in PLACEHOLDERS)
    if secret not in ("", "-") and weak and not demo:
        return [f"BLOG_SECRET_KEY: too weak; use at least {SHORTEST_SECRET} random characters"]
    return []


def _mail_problems(given: dict[str, Any], demo: bool) -> list[str]:
    problems = []
    secured = given.get("mail_use_tls") or given.get("mail_use_ssl")
    if given.get("mail_use_tls") and given.get("mail_use_ssl"):
        problems.append("BLOG_MAIL_USE_TLS and BLOG_MAIL_USE_SSL: choose one")
    if given.get("mail_username") and not secured and not _is_loopback(given.get("mail_server", "")):
        problems.append("BLOG_MAIL_USERNAME: a password never travels in the clear; set BLOG_MAIL_USE_TLS")
    sender = given.get("mail_default_sender", "-")
    if not sender and not _is_local(given.get("site_url", "http://localhost"), demo):
        problems.append("BLOG_MAIL_DEFAULT_SENDER: missing; for example: News <news@example.org>")
    if any(ord(char) < 32 for char in sender):
        problems.append("BLOG_MAIL_DEFAULT_SENDER: control characters are not allowed")
    return problems


def _is_local(site_url: str, demo: bool) -> bool:
    return demo or _is_loopback(urlsplit(site_url).hostname or "")


def _is_loopback(host: str) -> bool:
    if host in ("localhost", "testserver") or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _kept_secret(folder: Path) -> str:
    """Return the secret kept in `folder`, making it on first use; several processes agree on one."""
    path = folder / "secret.key"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text().strip()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; every mistake is in the one `SettingsError` that is raised."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError([line for item in error.errors() for line in _lines(item)]) from None
    except UnreadableValue as error:
        raise SettingsError([_unreadable(error)]) from None
    except (OSError, ValueError) as error:
        raise SettingsError([f"blog.toml: {error}"]) from None


def _unreadable(error: UnreadableValue) -> str:
    """Say of a variable that is no JSON what it should be."""
    named = re.search(r'field "(\w+)"', str(error))
    field = Settings.model_fields.get(named[1]) if named else None
    if named is None or field is None:
        return str(error)
    kind = 'an object like {"name": "value"}' if "dict" in str(field.annotation) else 'a list like ["value"]'
    return f"BLOG_{named[1].upper()}: expected JSON, {kind}; docs/settings.md has examples"


def _lines(item: Any) -> list[str]:
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["loc"] == ("demo",) and item["type"] == "value_error":
        return message.split("\n")
    return [f"BLOG_{str(item['loc'][0]).upper()}: {message}"]
