"""A few edited articles are stored alone, with the outcome of storing everything."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from blog.articles import reading
from blog.articles.models import ArticleTopic, Redirect, SearchText
from blog.articles.sync import edited, sync, sync_edited
from blog.content.values import PageFile
from blog.db import Database
from tests.articles.files import NOW, article_file, body, library, synced

FILES = [article_file(slug, f"Text of {slug}.", topics=["t"], aliases=[f"/old/{slug}"]) for slug in "abcdef"]
PAGE = PageFile("about", "pages/about.md", "About", "", "<p>1</p>")
LATER = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another title"},
        {"body": body("<p>Other</p>", "Other words entirely.")},
        {"topics": ["t", "u"]},
        {"topics": []},
        {"aliases": ["/old/b", "/older/b"]},
        {"aliases": []},
        {"status": "draft"},
        {"pinned": ["c"]},
        {"published_at": NOW - timedelta(days=3)},
        {"expires_at": LATER},
        {"source": "articles/b.md"},
    ],
    ids=lambda change: "-".join(change),
)
def test_what_is_stored_alone_needs_no_second_sync(database: Database, change: dict[str, Any]) -> None:
    before = library(*FILES)
    synced(database, *FILES)
    after = library(*(replace(file, **change) if file.slug == "b" else file for file in FILES))
    found = edited(after, before)
    assert found == [file for file in after.articles if file != FILES[after.articles.index(file)]]
    with database.transaction() as session:
        sync_edited(session, found, LATER)
        version = reading.version(session)
    with database.transaction() as session:
        assert not sync(session, after, LATER)
        assert reading.version(session) == version


def test_only_what_was_edited_is_touched(database: Database) -> None:
    synced(database, *FILES)
    changed = replace(FILES[1], body=body("<p>Zebras</p>", "Zebras."), topics=["u"], aliases=["/z"])
    with database.transaction() as session:
        assert sync_edited(session, [changed], LATER).changed == ["b"]
    with database.reading() as session:
        assert reading.article(session, "b", LATER).html == "<p>Zebras</p>"  # type: ignore[union-attr]
        assert session.scalars(select(ArticleTopic.topic)).all().count("t") == 5
        assert "/z" in session.scalars(select(Redirect.path)).all()
        assert sum("zebras" in text for text in session.scalars(select(SearchText.body))) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files[:-1],
        lambda files: [*files, article_file("g")],
        lambda files: [replace(files[0], slug="z"), *files[1:]],
        lambda files: [replace(files[0], source="articles/z.md"), *files[1:]],
        lambda files: files[::-1],
    ],
)
def test_whatever_moves_an_address_is_no_mere_edit(change: Callable[[list[Any]], list[Any]]) -> None:
    assert edited(library(*change(FILES)), library(*FILES)) is None
    assert edited(library(*FILES, pages=[PAGE]), library(*FILES)) is None
    assert edited(library(*FILES, failed=["articles/x.md"]), library(*FILES)) is None
    assert edited(library(*FILES), library(*FILES)) == []
