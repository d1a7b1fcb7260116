"""A sync reads nothing while folder and index are as the last one left them, and only then."""

import time
from pathlib import Path

import pytest

from blog import clock
from blog.articles import stillness
from blog.articles.models import ContentVersion
from blog.articles.publishing import Published, publish
from blog.content.keeping import SETTLED_NS
from blog.db import Database

pytestmark = pytest.mark.slow


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    (folder / "articles").mkdir(parents=True)
    for number in range(3):
        (folder / "articles" / f"a{number}.md").write_text(f"---\ndate: 2025-01-01\n---\nText {number}.")
    (folder / "articles" / "bad.md").write_text("---\ntitle: [\n---\nText.")
    return folder


def settle() -> None:
    """Wait until a file's time can be told from that of a later change."""
    time.sleep(SETTLED_NS / 1e9 + 0.1)


def synced(database: Database, content: Path) -> Published:
    return publish(database, content, clock.now, cache_dir=content.parent / "cache")


def kept(content: Path) -> bool:
    return stillness.recall(content.parent / "cache", stillness.state(content)) is not None


def test_a_sync_of_a_still_folder_repeats_what_the_last_one_said(database: Database, content: Path) -> None:
    settle()
    first = synced(database, content)
    assert first.problems
    again = synced(database, content)
    assert (again.changes.unchanged, bool(again.changes)) == (3, False)
    assert again.problems == first.problems
    path = content.parent / "cache" / stillness.FILE
    path.write_text(path.read_text().replace(first.problems[0].message, "said last time"))
    assert synced(database, content).problems[0].message == "said last time"


def test_an_edit_an_addition_and_a_removal_are_seen(database: Database, content: Path) -> None:
    settle()
    synced(database, content)
    (content / "articles" / "a1.md").write_text("---\ndate: 2025-01-01\n---\nTexts 1.")
    assert synced(database, content).changes.changed == ["a1"]
    (content / "articles" / "new.md").write_text("---\ndate: 2025-01-01\n---\nNew.")
    assert synced(database, content).changes.added == ["new"]
    (content / "articles" / "new.md").unlink()
    assert synced(database, content).changes.removed == ["new"]


def test_a_folder_that_has_just_changed_is_not_trusted(content: Path) -> None:
    (content / "site.toml").write_text('name = "x"')
    assert stillness.state(content) is None


def test_an_index_that_somebody_else_changed_is_read_anew(database: Database, content: Path) -> None:
    settle()
    synced(database, content)
    with database.transaction() as session:
        session.get_one(ContentVersion, 1).version = "another"
        session.get_one(ContentVersion, 1).related_to = "another"
    assert kept(content)
    again = synced(database, content)
    assert again.changes.unchanged == 3
    assert again.problems


def test_what_is_kept_may_be_damaged_or_missing(content: Path, tmp_path: Path) -> None:
    settle()
    now = stillness.state(content)
    assert now
    assert stillness.recall(tmp_path, now) is None
    for text in ("", "[]", "{}", f'{{"state": "{now}", "version": "v", "articles": 1, "problems": [1]}}'):
        (tmp_path / stillness.FILE).write_text(text)
        assert stillness.recall(tmp_path, now) is None


def test_a_linked_folder_is_never_called_still(content: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (content / "articles" / "linked").symlink_to(tmp_path / "elsewhere")
    settle()
    assert stillness.state(content) is None
