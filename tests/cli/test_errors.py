"""The command line when things go wrong: one clear line, the right exit code, never a traceback."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from blog.cli import cli
from blog.settings import Settings
from tests.commanding import blog
from tests.journeys.installation import Installation


@pytest.fixture
def site(tmp_path: Path, migrated_sqlite: Path) -> Installation:
    path = tmp_path / "blog.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    made = Installation(tmp_path, f"sqlite:///{path}", smtp_port=1, port=8000)
    made.content.mkdir()
    return made


def test_wrong_settings_are_all_named_and_exit_with_2(site: Installation) -> None:
    site.extra |= {
        "BLOG_SITE_URL": "https://news.example.org",
        "BLOG_SECRET_KEY": "short",
        "BLOG_MAIL_PORT": "x",
    }
    said = site.blog("sync", expect=2)
    assert "BLOG_SECRET_KEY: too weak" in said
    assert "BLOG_MAIL_PORT" in said


def test_a_missing_secret_says_how_to_make_one(site: Installation) -> None:
    site.extra |= {"BLOG_SITE_URL": "https://news.example.org", "BLOG_SECRET_KEY": ""}
    assert "BLOG_SECRET_KEY: missing; make one with" in site.blog("worker", "--until-idle", expect=2)


def test_a_database_without_tables_says_what_to_run(site: Installation) -> None:
    site.database_url = f"sqlite:///{site.folder / 'empty.db'}"
    assert site.blog("sync", expect=1).strip() == (
        "blog: the database is not at this version's schema; run: blog db upgrade"
    )
    site.blog("db", "upgrade")
    site.blog("sync")


def test_an_occupied_port_is_said_before_anything_starts(site: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port} on 127.0.0.1 cannot be used" in site.blog("serve", "--port", port, expect=2)
        assert f"port {port} on 127.0.0.1 cannot be used" in site.blog("demo", "--port", port, expect=2)


def test_a_content_folder_that_is_not_there_is_named(site: Installation) -> None:
    site.extra["BLOG_CONTENT_DIR"] = "/nowhere/at/all"
    assert "BLOG_CONTENT_DIR: there is no folder /nowhere/at/all" in site.blog("sync", expect=2)


@pytest.mark.parametrize(
    ("arguments", "part", "code"),
    [
        (["digest", "run", "--cadence", "hourly"], "hourly", 2),
        (["digest", "run", "--cadence", "weekly", "--at", "soon"], "ISO 8601", 2),
        (["digest", "status", "7"], "there is no issue 7", 1),
        (["related", "nothing"], "there is no article 'nothing'", 1),
        (["why", "ada@example.org", "7"], "there is no issue 7", 1),
        (["related"], "--all", 2),
        (["new", " "], "needs a title", 2),
        (["subscribers", "show", "ada@example.org"], "nobody", 1),
        (["nonsense"], "nonsense", 2),
        (["subscribers", "import", "/nowhere.csv"], "/nowhere.csv", 2),
    ],
)
def test_wrong_use_is_one_line(site: Installation, arguments: list[str], part: str, code: int) -> None:
    said = site.blog(*arguments, expect=code)
    assert part in said
    assert said.count("\n") == 1


def test_every_command_has_help() -> None:
    assert set(all_commands(cli, ())) >= {("sync",), ("digest", "run"), ("subscribers", "import"), ("check",)}
    for command in all_commands(cli, ()):
        result = CliRunner().invoke(cli, [*command, "--help"])
        assert result.exit_code == 0, command
        assert result.output.startswith("Usage:"), command


def all_commands(group: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield every command with the words that lead to it."""
    yield path
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield from all_commands(command, (*path, name))


def test_an_article_is_begun_once(site: Installation) -> None:
    done = site.blog("new", "First Words", "--topic", "systems", "--bundle")
    path = site.content / "articles/first-words/index.md"
    assert done.startswith(str(path))
    assert "blog sync" in done
    assert site.blog_json("sync")["problems"] == []
    assert f"blog: there is {path} already" in site.blog("new", "First words", expect=1)


def test_a_sync_that_would_take_most_articles_away_asks_first(site: Installation) -> None:
    for number in range(12):
        site.write(f"a{number}", title="A", date="2026-01-05", slug=f"a{number}")
    site.blog("sync")
    shutil.rmtree(site.content / "articles")
    said = site.blog("sync", expect=1)
    assert "the files of 12 of 12 published articles are gone" in said
    assert said.count("\n") == 1
    assert len(site.blog_json("sync", "--force")["removed"]) == 12


def test_bad_files_are_named_and_the_others_are_published(site: Installation) -> None:
    site.write("good", title="Good", date="2026-01-05")
    articles = site.content / "articles"
    (articles / "broken.md").write_text("---\ntitle: [unclosed\n---\nBody\n")
    (articles / "latin.md").write_bytes(b"---\ntitle: Caf\xe9\n---\nBody\n")
    site.write("twin-a", title="Twin", date="2026-01-05", slug="twin")
    site.write("twin-b", title="Twin too", date="2026-01-06", slug="twin")
    done = site.blog_json("sync")
    assert {"good", "twin"} <= set(done["added"])
    found = {problem["file"].rpartition("/")[2]: problem for problem in done["problems"]}
    assert found["broken.md"]["line"]
    assert "UTF-8" in found["latin.md"]["message"] + found["latin.md"]["hint"]
    twin = json.dumps([p for p in done["problems"] if "twin" in p["file"]])
    assert "twin-a.md" in twin
    assert "twin-b.md" in twin


def test_an_import_needs_evidence_and_names_each_bad_line(site: Installation) -> None:
    path = site.folder / "list.csv"
    path.write_text("email,cadence\nada@example.org,weekly\nnot-an-address,weekly\nbob@example.org,hourly\n")
    assert "--evidence" in site.blog("subscribers", "import", str(path), expect=2)
    done = site.blog_json("subscribers", "import", str(path), "--confirmed", "--evidence", "old list")
    assert done["added"] == 1
    assert [line for line, _ in done["problems"]] == [3, 4]
    assert site.blog_json("subscribers", "show", "ada@example.org")["status"] == "active"


def test_a_sync_counts_its_problems_as_one_says_them(settings: Settings) -> None:
    assert blog(settings, "sync").endswith("; 0 problems.\n")
    for name, counted in (("one", "1 problem"), ("two", "2 problems")):
        (settings.content_dir / "articles" / f"{name}.md").write_text("---\ntitle: [\n---\nText.")
        assert blog(settings, "sync").endswith(f"; {counted}.\n")
