"""Watching a folder: what changes is noticed, and what will not be done is said."""

import shutil
import threading
from pathlib import Path

import pytest

from blog import clock
from blog.articles import reading
from blog.articles.publishing import publish
from blog.cli import demo
from blog.cli.watching import changes, state_of
from blog.web.pieces import Services
from tests.content.folders import write


def test_a_folder_emptied_by_mistake_is_said_and_nothing_is_taken_offline(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    content = services.settings.content_dir
    for number in range(12):
        write(content, f"articles/{number}.md", f"---\ntitle: {number}\ndate: 2025-05-30\n---\nText.")
    publish(services.database, content, clock.now)
    shutil.rmtree(content / "articles")
    demo._publish_again(services)
    assert "the files of 12 of 12 published articles are gone" in capsys.readouterr().err
    with services.database.reading() as session:
        assert len(reading.all_live(session, clock.now())) == 12


def test_a_file_that_is_written_is_told_at_once_and_quiet_is_told_too(tmp_path: Path) -> None:
    path = write(tmp_path, "articles/a.md", "Text.")
    stop = threading.Event()
    told = changes(tmp_path, stop, state_of(tmp_path))
    assert next(told) == set()
    path.write_text("Other text.")
    assert next(told) == {str(path)}
    stop.set()
    assert list(told) == []


def test_what_no_system_tells_is_found_by_looking(tmp_path: Path) -> None:
    path = write(tmp_path, "articles/a.md", "Text.")
    before = state_of(tmp_path)
    path.write_text("Other text.")  # before anybody watches
    stop = threading.Event()
    told = changes(tmp_path, stop, before)
    assert str(path) in next(found for found in told if found)
