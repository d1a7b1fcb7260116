"""A small publication, synced, for commands run within this process."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from blog import clock
from blog.articles.publishing import publish
from blog.cli import cli
from blog.db import Database
from blog.export import tree
from blog.settings import Settings

SITE = 'name = "Signal & System"\n'


@pytest.fixture
def content(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A content folder, and the settings of its site in the environment."""
    for name in ("database_url", "site_url", "content_dir", "var_dir", "postal_address"):
        monkeypatch.setenv(f"BLOG_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("BLOG_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("BLOG_MAIL_DEFAULT_SENDER", settings.mail_default_sender)
    folder = settings.content_dir
    (folder / "site.toml").write_text(SITE)
    (folder / "pages").mkdir()
    (folder / "pages" / "about.md").write_text("---\ntitle: About\n---\n\nUs.\n")
    (folder / "articles" / "loop.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    write(folder, "first-piece", "![A loop](loop.svg)\n\nSome words.\n", "aliases: [/old/first]\n")
    write(folder, "second-piece", "Other words, and [the first](first-piece.md).\n")
    return folder


def write(folder: Path, slug: str, body: str, more: str = "") -> None:
    """Put an article into the content folder."""
    head = f"---\ntitle: {slug.replace('-', ' ')}\ndate: 2026-01-02\ntags: [systems]\n{more}---\n\n"
    (folder / "articles" / f"{slug}.md").write_text(head + body * 30)


def sync(database: Database, folder: Path) -> None:
    """Publish the content folder."""
    publish(database, folder, clock.now, force=True)


def blog(*arguments: str, expect: int = 0) -> str:
    """Run a command within this process; return what it said."""
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    if expect == 0 and result.exception:
        raise result.exception
    return result.output


def export(folder: Path, *options: str) -> dict[str, object]:
    """Export; return the report."""
    found: dict[str, object] = json.loads(blog("export", str(folder), "--json", *options))
    return found


def files_of(root: Path) -> dict[str, bytes]:
    """Return the files of an export but the one that says in which order they were made."""
    files = {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    del files[tree.MANIFEST]
    return files
