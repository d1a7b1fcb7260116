"""Runs commands in this process, on a test's own database: quicker than a process each."""

import json
from typing import Any

from click.testing import CliRunner

from blog.cli import cli
from blog.errors import BlogError
from blog.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    """Return what has a command use these settings."""
    return {
        "BLOG_DATABASE_URL": settings.sqlalchemy_url,
        "BLOG_SECRET_KEY": settings.secret_key.get_secret_value(),
        "BLOG_SITE_URL": settings.site_url,
        "BLOG_CONTENT_DIR": str(settings.content_dir),
        "BLOG_VAR_DIR": str(settings.var_dir),
        "BLOG_POSTAL_ADDRESS": settings.postal_address,
        "BLOG_MAIL_DEFAULT_SENDER": settings.mail_default_sender,
        "BLOG_MAIL_SERVER": settings.mail_server,
        "BLOG_MAIL_PORT": str(settings.mail_port),
    }


def blog(settings: Settings, *arguments: str, **more: str) -> str:
    """Run a command that is to succeed; return what it printed. `more` are settings, in lower case."""
    given = environment(settings) | {f"BLOG_{name.upper()}": value for name, value in more.items()}
    result = CliRunner().invoke(cli, arguments, env=given)
    assert result.exception is None, (result.output, result.exception)
    return result.stdout


def blog_json(settings: Settings, *arguments: str, **more: str) -> Any:
    """Run a command with `--json`; return what it printed."""
    return json.loads(blog(settings, *arguments, "--json", **more))


def refused(settings: Settings, *arguments: str, **more: str) -> str:
    """Run a command that is to fail; return its one line."""
    given = environment(settings) | {f"BLOG_{name.upper()}": value for name, value in more.items()}
    result = CliRunner().invoke(cli, arguments, env=given)
    if isinstance(result.exception, BlogError):
        return str(result.exception)
    assert result.exit_code == 2, (result.output, result.exception)
    return result.stderr
