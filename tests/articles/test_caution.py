"""Many articles gone at once: more likely a disk that is not mounted than an author's wish."""

from datetime import timedelta
from pathlib import Path

import pytest

from blog import clock
from blog.articles import reading
from blog.articles.publishing import publish
from blog.articles.sync import sync
from blog.db import Database
from blog.errors import BlogError
from tests.articles.files import NOW, article_file, library, synced
from tests.content.folders import write

FIFTY = [article_file(f"a{number}") for number in range(50)]


def live(database: Database) -> int:
    with database.reading() as session:
        return len(reading.all_live(session, NOW))


def test_an_empty_folder_takes_nothing_offline(database: Database) -> None:
    synced(database, *FIFTY)
    with pytest.raises(
        BlogError, match=r"the files of 50 of 50 published articles are gone.*--force"
    ) as error:
        synced(database)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1
    assert live(database) == 50


def test_force_takes_them_offline(database: Database) -> None:
    synced(database, *FIFTY)
    with database.transaction() as session:
        changes = sync(session, library(), NOW, force=True)
    assert len(changes.removed) == 50
    assert live(database) == 0


def test_a_fifth_may_go_and_one_more_may_not(database: Database) -> None:
    synced(database, *FIFTY)
    with pytest.raises(BlogError, match="11 of 50"):
        synced(database, *FIFTY[11:])
    assert len(synced(database, *FIFTY[10:]).removed) == 10


def test_a_small_site_may_lose_what_it_likes(database: Database) -> None:
    synced(database, *FIFTY[:9])
    assert len(synced(database).removed) == 9


def test_drafts_renames_and_files_that_cannot_be_read_are_not_counted(database: Database) -> None:
    drafts = [article_file(f"d{number}", status="draft") for number in range(30)]
    synced(database, *FIFTY[:30], *drafts)
    failed = [file.source for file in FIFTY[:10]]
    moved = [article_file(file.slug, source=f"articles/x/{file.slug}.md") for file in FIFTY[10:30]]
    changes = synced(database, *moved, failed=failed)
    assert len(changes.removed) == 30
    assert live(database) == 30


def test_a_refused_publication_changes_nothing_and_the_next_goes_on(
    database: Database, tmp_path: Path
) -> None:
    content = tmp_path / "content"
    for number in range(12):
        write(content, f"articles/{number}.md", f"---\ntitle: {number}\ndate: 2025-05-30\n---\nText.")
    publish(database, content, clock.now)
    (content / "articles").rename(tmp_path / "away")
    (content / "articles").mkdir()
    with pytest.raises(BlogError, match="12 of 12"):
        publish(database, content, lambda: clock.now() + timedelta(hours=1))
    (content / "articles").rmdir()
    (tmp_path / "away").rename(content / "articles")
    assert publish(database, content, clock.now)[0].unchanged == 12
    (content / "articles").rename(tmp_path / "away")
    assert len(publish(database, content, clock.now, force=True)[0].removed) == 12
