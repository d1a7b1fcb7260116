"""`blog db upgrade`: a proven snapshot first, everything as before when it fails, and nobody kept waiting."""

import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from blog import clock, migrate, revisions
from blog.articles import search_texts
from blog.articles.search import search
from blog.backup import snapshots
from blog.db import Database
from blog.errors import BlogError, Busy
from blog.settings import Settings
from blog.subscribers.models import Subscriber
from blog.tokens import Tokens
from tests.backup.test_backup import client_programs
from tests.commanding import blog, blog_json, refused
from tests.factories import make_article, make_subscriber

__all__ = ["client_programs"]

BEFORE = "0005"
HEADER = 'revision = "{}"\ndown_revision = "{}"\nimport sqlalchemy as sa\nfrom alembic import op\n\n\n'


@pytest.fixture
def older(database: Database, settings: Settings) -> Settings:
    """A site at an older schema, with somebody in it."""
    with database.transaction() as session:
        make_subscriber(session, Tokens(settings.key_ring), "ada@example.org")
    migrate.downgrade(database, BEFORE)
    database.dispose()
    return settings


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """A folder with our migrations, to which a test adds the next one."""
    folder = tmp_path / "migrations"
    shutil.copytree(revisions.MIGRATIONS, folder)
    return folder


def add(folder: Path, body: str) -> str:
    """Add a migration; return its number."""
    number = f"{int(revisions.head()) + 1:04}"
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = (
        HEADER.format(number, revisions.head()) + f"def upgrade():\n{lines}\n\ndef downgrade():\n    pass\n"
    )
    (folder / "versions" / f"{number}_next.py").write_text(source)
    return number


def test_an_upgrade_backs_up_first_says_so_and_the_backup_brings_everything_back(
    older: Settings, database: Database
) -> None:
    said = blog(older, "db", "upgrade")
    (file,) = (older.var_dir / "snapshots").iterdir()
    assert f"Snapshot: {file}" in said
    assert f"Upgraded from {BEFORE} to {revisions.head()}." in said
    assert f"blog restore --replace {file}" in said
    assert file.name.endswith(f"-at-{BEFORE}.tar.gz")
    assert file.parent.stat().st_mode & 0o077 == 0
    with database.transaction() as session:
        session.execute(text("DELETE FROM subscribers"))
    database.dispose()
    blog(older, "restore", "--replace", str(file))
    assert revisions.current(database) == BEFORE
    with database.reading() as session:
        assert session.scalars(select(Subscriber.email)).all() == ["ada@example.org"]
    assert blog_json(older, "db", "upgrade", "--no-snapshot") == {
        "before": BEFORE,
        "after": revisions.head(),
        "snapshot": None,
    }


def test_the_search_of_an_upgraded_site_finds_everything_without_a_sync(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_texts, "BATCH", 2)
    with database.transaction() as session:
        for number in range(5):
            make_article(session, f"piece-{number}", text="Queues and loops.")
    migrate.downgrade(database, "0001")
    database.dispose()
    blog(settings, "db", "upgrade")
    with database.reading() as session:
        assert search(session, "queues", clock.now()).total == 5
    # Made by other rules than today's, as an earlier version may have left it.
    with database.transaction() as session:
        session.execute(text("UPDATE search_texts SET made_from = '0:before', keys = 'old', body = 'old'"))
    with database.reading() as session:
        assert search(session, "queues", clock.now()).total == 0
    blog(settings, "db", "upgrade")
    with database.reading() as session:
        assert search(session, "queues", clock.now()).total == 5


def test_without_anybody_in_it_or_anything_to_change_there_is_no_snapshot(
    settings: Settings, database: Database
) -> None:
    assert blog_json(settings, "db", "upgrade")["snapshot"] is None
    migrate.downgrade(database, BEFORE)
    assert blog_json(settings, "db", "upgrade")["snapshot"] is None
    assert not (settings.var_dir / "snapshots").exists()


def test_the_last_few_snapshots_are_kept(older: Settings, database: Database) -> None:
    folder = older.var_dir / "snapshots"
    folder.mkdir(parents=True)
    for day in range(1, snapshots.KEPT + 2):
        (folder / f"2026010{day}T000000-at-{BEFORE}.tar.gz").touch()
    made = snapshots.take(older, database, datetime(2026, 1, 9, tzinfo=UTC))
    kept = sorted(file.name[:8] for file in folder.iterdir())
    assert made == folder / f"20260109T000000-at-{BEFORE}.tar.gz"
    assert kept == ["20260103", "20260104", "20260109"]


def test_a_snapshot_that_cannot_be_made_stops_the_upgrade_before_anything_is_changed(
    older: Settings, database: Database
) -> None:
    (older.var_dir / "snapshots").parent.mkdir(exist_ok=True)
    (older.var_dir / "snapshots").write_text("in the way")
    with pytest.raises(BlogError, match="--no-snapshot"):
        snapshots.take(older, database, clock.now())
    assert "--no-snapshot" in refused(older, "db", "upgrade")
    assert revisions.current(database) == BEFORE


def test_a_migration_that_fails_half_way_leaves_everything_as_it_was(
    database: Database, next_release: Path
) -> None:
    add(
        next_release,
        'op.create_table("half", sa.Column("id", sa.Integer()))\n'
        'op.execute("UPDATE issues SET title = nothing_of_that_name")',
    )
    with pytest.raises(BlogError, match=r"nothing_of_that_name.*everything is as before"):
        migrate.upgrade(database, folder=next_release)
    assert revisions.current(database) == revisions.head()
    with database.reading() as session:
        assert not inspect(session.connection()).has_table("half")


def test_a_database_of_a_newer_version_is_left_alone(
    settings: Settings, database: Database, next_release: Path
) -> None:
    number = add(next_release, 'op.create_table("later", sa.Column("id", sa.Integer()))')
    migrate.upgrade(database, folder=next_release)
    said = refused(settings, "db", "upgrade")
    assert f"at {number}, newer than this version of blog" in said
    assert "\n" not in said
    assert "0 added" in blog(settings, "sync"), "and yet this code works with it"


def test_an_upgrade_does_not_queue_behind_a_long_reader_with_everyone_else_behind_it(
    database: Database, next_release: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "300ms")
    add(next_release, 'op.add_column("issues", sa.Column("later", sa.Integer(), nullable=True))')
    if engine == "sqlite":
        with database.reading() as session:  # readers and the one writer do not wait for one another
            session.execute(text("SELECT count(*) FROM issues"))
            migrate.upgrade(database, folder=next_release)
        return
    with database.reading() as session:
        session.execute(text("SELECT count(*) FROM issues"))
        with pytest.raises(Busy, match="run blog db upgrade again"):
            migrate.upgrade(database, folder=next_release)
        assert revisions.current(database) == revisions.head()
    migrate.upgrade(database, folder=next_release)


def test_two_hosts_that_upgrade_at_once_take_turns(database: Database, next_release: Path) -> None:
    number = add(next_release, 'op.create_table("later", sa.Column("id", sa.Integer()))')
    results: list[tuple[str | None, str | None]] = []
    hosts = [
        threading.Thread(target=lambda: results.append(migrate.upgrade(database, folder=next_release)))
        for _ in range(4)
    ]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert sorted(map(str, results)) == sorted(
        map(str, [(revisions.head(), number), *[(number, number)] * 3])
    )


def test_an_index_can_be_built_aside_while_others_write(database: Database, next_release: Path) -> None:
    add(
        next_release,
        'if op.get_bind().dialect.name == "postgresql":\n'
        "    with op.get_context().autocommit_block():\n"
        '        op.create_index("ix_aside", "issues", ["title"], postgresql_concurrently=True)\n'
        "else:\n"
        '    op.create_index("ix_aside", "issues", ["title"])',
    )
    migrate.upgrade(database, folder=next_release)
    with database.reading() as session:
        found = {index["name"] for index in inspect(session.connection()).get_indexes("issues")}
    assert "ix_aside" in found
