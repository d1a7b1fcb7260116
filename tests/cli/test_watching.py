"""The demo's watcher: it says what it will not do, and goes on watching."""

import shutil

import pytest

from blog import clock
from blog.articles import reading
from blog.articles.publishing import publish
from blog.cli import demo
from blog.web.context import Services
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
