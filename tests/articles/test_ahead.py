"""A first sync compares texts beside writing them; what comes of it is what comes without."""

import random
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from blog import clock
from blog.articles import ahead
from blog.articles.ahead import Ahead
from blog.articles.models import Article, ContentVersion, RelatedArticle
from blog.articles.publishing import publish
from blog.articles.space import Space
from blog.content.library import load
from blog.content.values import Library
from blog.db import Database
from tests.content.folders import write

WORDS = [f"{one}{two}er" for one in ("qu", "led", "tok", "vec", "cach") for two in "abcdefghijklmnopqrst"]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of just so many articles that a process of its own is worth it."""
    folder, chance = tmp_path_factory.mktemp("many") / "content", random.Random(1)
    for number in range(ahead.FEW + 2):
        draft = "draft: true\n" if number == 7 else ""
        body = " ".join(chance.choices(WORDS, k=9))
        write(
            folder,
            f"articles/a{number}.md",
            f"---\ntitle: No {number}\ndate: 2025-05-30\n{draft}---\n{body}.",
        )
    return folder


@pytest.fixture(scope="module")
def library(content: Path) -> tuple[Library, Path]:
    """The articles read, and where the renderings are."""
    cache = content.parent / "cache"
    return load(content, clock.now(), cache), cache


def cards(database: Database) -> list[tuple[object, ...]]:
    one, other = Article.__table__.alias(), Article.__table__.alias()
    columns = (RelatedArticle.position, RelatedArticle.kind, RelatedArticle.score, RelatedArticle.reason)
    query = (
        select(one.c.slug, other.c.slug, *columns)
        .join_from(RelatedArticle, one, one.c.id == RelatedArticle.article_id)
        .join(other, other.c.id == RelatedArticle.related_id)
        .order_by(one.c.slug, RelatedArticle.position)
    )
    with database.reading() as session:
        return [tuple(row) for row in session.execute(query)]


def test_the_cards_are_those_of_a_sync_without_it(
    database: Database, content: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[bool] = []
    asked = Ahead.space

    def noted(comparison: Ahead, renderings: list[str]) -> Space | None:
        found = asked(comparison, renderings)
        used.append(found is not None)
        return found

    monkeypatch.setattr(Ahead, "space", noted)
    publish(database, content, clock.now, cache_dir=tmp_path / "cache")
    with_it = cards(database)
    with database.transaction() as session:
        session.execute(update(ContentVersion).values(related_to=""))
    publish(database, content, clock.now)
    assert used == [True, False]
    assert len(with_it) > ahead.FEW
    assert with_it == cards(database)


def test_other_texts_than_were_compared_have_no_space(library: tuple[Library, Path]) -> None:
    found, cache = library
    with Ahead(found, cache, clock.now()) as comparison:
        renderings = [item.fingerprint for item in found.articles if item.status == "published"]
        assert comparison.space(renderings[1:]) is None
        assert comparison.space([*renderings[1:], renderings[0]]) is None
        space = comparison.space(renderings)
        assert space is not None
        assert len(space.vectors) == ahead.FEW + 1


def test_a_comparison_that_dies_is_none(library: tuple[Library, Path]) -> None:
    found, cache = library
    with Ahead(found, cache, clock.now()) as comparison:
        process = comparison._process
        assert isinstance(process, subprocess.Popen)
        process.kill()
        assert comparison.space([item.fingerprint for item in comparison._files]) is None


def test_who_leaves_early_leaves_nobody_behind(library: tuple[Library, Path]) -> None:
    found, cache = library
    with pytest.raises(RuntimeError), Ahead(found, cache, clock.now()) as comparison:
        raise RuntimeError
    assert comparison._process is not None
    assert comparison._process.returncode is not None


def test_a_later_sync_and_a_small_one_need_none(library: tuple[Library, Path], tmp_path: Path) -> None:
    found, cache = library
    with Ahead(found, None, clock.now()) as comparison:
        assert comparison._process is None
    with Ahead(Library(found.site, found.articles[:9], [], []), cache, clock.now()) as comparison:
        assert comparison._process is None
    (tmp_path / "related.npz").write_bytes(b"")
    with Ahead(found, tmp_path, clock.now() + timedelta(days=1)) as comparison:
        assert comparison._process is None
