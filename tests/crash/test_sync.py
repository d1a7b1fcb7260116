"""Two hosts sync at once, and are killed: readers see one whole version, and the last sync is what holds."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from blog import clock
from blog.articles import reading
from blog.articles.models import Article, ArticleTopic, ContentVersion, Page, Redirect
from blog.articles.publishing import publish
from blog.db import Database
from tests.content.folders import write

pytestmark = pytest.mark.crash

ARTICLES, ROUNDS, KILLS = 12, 20, 4


def version(folder: Path, name: str, odd: bool) -> Path:
    """Write one version of the same publication: other texts, one file more, two addresses swapped."""
    for number in range(ARTICLES + odd):
        other = {0: 1, 1: 0}.get(number, number) if odd else number
        write(
            folder / name,
            f"articles/part-{number}.md",
            f"---\ntitle: Part {number} {name}\ndate: 2025-05-{number + 1:02}\nslug: address-{other}\n"
            f"topics: [{name}, harbour]\n---\nThe lamp {number} of {name}, and what the boats make of it.\n",
        )
    write(folder / name, "pages/about.md", f"# About {name}\n\nText.\n")
    return folder / name


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [version(tmp_path, "even", odd=False), version(tmp_path, "odd", odd=True)]


@contextmanager
def host(url: str, cache: Path, folders: list[Path], rounds: int = 10_000) -> Iterator[subprocess.Popen[str]]:
    arguments = [url, str(rounds), str(cache), *map(str, folders)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.syncing", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def seen(database: Database) -> str | None:
    """Return the one version that a reader sees; fail when it is half of one and half of another."""
    now = clock.now()
    with database.reading() as session:
        live = reading.all_live(session, now)
        pages = [page.title for page in session.scalars(select(Page))]
        related = reading.related_slugs(session, now)
    if not live:
        assert pages == []
        return None
    (name,) = {article.title.rsplit(" ", 1)[1] for article in live}
    assert len(live) == ARTICLES + (name == "odd")
    assert {topic.topic for article in live for topic in article.topics} == {name, "harbour"}
    assert pages == [f"About {name}"]
    assert set(related) == {article.slug for article in live}
    return name


def state(database: Database) -> dict[str, object]:
    """Return everything that is published, but for what only history decides (numbers, redirects)."""
    with database.reading() as session:
        live = reading.all_live(session, clock.now())
        return {
            "articles": sorted((item.slug, item.source, item.title, item.rendered_hash) for item in live),
            "topics": sorted((item.slug, *(topic.topic for topic in item.topics)) for item in live),
            "related": reading.related_slugs(session, clock.now()),
            "pages": [(page.slug, page.html) for page in reading.pages(session)],
        }


def settle(database: Database, folder: Path) -> None:
    """Sync once more in peace; that must be all it takes, and once again must change nothing."""
    publish(database, folder, clock.now)
    changes, _ = publish(database, folder, clock.now)
    assert not changes
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Article)) == ARTICLES + 1
    after = state(database)
    with database.transaction() as session:
        for table in (Redirect, ArticleTopic, Article, Page, ContentVersion):
            session.execute(delete(table))
    publish(database, folder, clock.now)
    assert after == state(database), "it is not what one sync makes"


@pytest.mark.parametrize("same", [True, False], ids=["same-folder", "different-versions"])
def test_two_hosts_sync_at_once(
    database: Database, database_url: str, folders: list[Path], tmp_path: Path, same: bool
) -> None:
    first, second = [folders, folders] if same else [folders[:1], folders[1:]]
    looks: list[str | None] = []
    with (
        host(database_url, tmp_path / "cache-1", first, ROUNDS) as one,
        host(database_url, tmp_path / "cache-2", second, ROUNDS) as two,
    ):
        while one.poll() is None or two.poll() is None:
            looks.append(seen(database))
            time.sleep(0.01)
        assert (one.returncode, two.returncode) == (0, 0)
    assert {"even", "odd"} <= set(looks), "the readers must have seen both versions come and go"
    settle(database, folders[1])


def test_a_killed_sync_leaves_the_old_version_or_the_new_one(
    database: Database, database_url: str, folders: list[Path], tmp_path: Path
) -> None:
    chance = random.Random(2026)
    for _ in range(KILLS):
        with host(database_url, tmp_path / "cache", folders) as process:
            assert process.stdout is not None
            for _ in range(chance.randint(1, 4)):
                process.stdout.readline()
            time.sleep(chance.random() * 0.06)
        seen(database)
    settle(database, folders[1])
