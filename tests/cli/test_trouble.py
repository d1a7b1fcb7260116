"""A database that cannot be used: one line that says what is wrong and what mends it."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from blog import trouble
from blog.db import Database
from tests.journeys.installation import Installation
from tests.smtp_server import free_port


def said(folder: Path, url: str, *arguments: str) -> str:
    """Return the one line that a command says of a database."""
    site = Installation(folder, url, smtp_port=1, port=8000)
    site.content.mkdir(exist_ok=True)
    line = site.blog(*(arguments or ("sync",)), expect=1)
    assert line.count("\n") == 1
    return line


def test_a_file_that_is_no_database_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but rather long and quite readable text")
    line = said(tmp_path, f"sqlite:///{tmp_path / 'notes.txt'}")
    assert "the file that BLOG_DATABASE_URL names is something else than a SQLite database" in line


def test_a_folder_in_the_place_of_the_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "the database file cannot be opened" in said(tmp_path, f"sqlite:///{tmp_path / 'folder'}")


def test_a_place_where_nothing_can_be_made_is_named(tmp_path: Path) -> None:
    assert (
        said(tmp_path, "sqlite:////proc/nowhere/blog.db")
        == "blog: /proc/nowhere: No such file or directory\n"
    )


def test_a_damaged_file_is_called_damaged(tmp_path: Path, migrated_sqlite: Path) -> None:
    content = bytearray(migrated_sqlite.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    (tmp_path / "blog.db").write_bytes(content)
    assert "the database file is damaged" in said(tmp_path, f"sqlite:///{tmp_path / 'blog.db'}")


@pytest.mark.parametrize("command", ["sync", "worker --until-idle"])
def test_a_server_that_is_not_there_cannot_be_reached(tmp_path: Path, command: str) -> None:
    line = said(tmp_path, f"postgresql://somebody@127.0.0.1:{free_port()}/blog", *command.split())
    assert line.startswith("blog: the database cannot be reached: start it, or mend BLOG_DATABASE_URL (")


def test_a_database_that_the_server_does_not_have_is_missed(tmp_path: Path, postgresql_server: str) -> None:
    database = Database(postgresql_server)
    url = database.url.set(database="nothing_of_that_name").render_as_string(hide_password=False)
    database.dispose()
    assert "the server has no database of that name: create it" in said(tmp_path, url)


def test_a_user_whom_the_server_does_not_know_is_not_let_in(tmp_path: Path, postgresql_server: str) -> None:
    database = Database(postgresql_server)
    url = database.url.set(username="nobody_of_that_name").render_as_string(hide_password=False)
    database.dispose()
    assert "the database does not let us in" in said(tmp_path, url)


def test_a_full_disk_is_told_from_other_refusals_without_quoting_a_value(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'blog.db'}")

    @event.listens_for(database.engine, "connect")
    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=2")

    with (
        pytest.raises(OperationalError) as caught,
        database.transaction() as session,
    ):
        session.execute(text("CREATE TABLE people (address TEXT)"))
        session.execute(text("INSERT INTO people VALUES (:address)"), {"address": "ada@example.org" * 2000})
    database.dispose()
    assert trouble.of(caught.value) == trouble.FULL
    assert trouble.in_words(caught.value) == f"{trouble.FULL.words} (database or disk is full)"
    assert "ada" in str(caught.value)


@pytest.mark.parametrize(
    ("number", "where", "line"),
    [
        (errno.ENOSPC, None, "No space left on device: make room there, then try again"),
        (errno.EROFS, "/srv/site", "/srv/site: Read-only file system: choose another place"),
    ],
)
def test_what_the_system_refuses_comes_with_what_mends_it(number: int, where: str | None, line: str) -> None:
    assert trouble.in_words(OSError(number, os.strerror(number), where)) == line


def test_what_nobody_foresaw_says_how_to_see_where_it_was() -> None:
    line = "unexpected ValueError: two lines (set BLOG_TRACEBACK=1 to see where)"
    assert trouble.in_words(ValueError("two\nlines")) == line
