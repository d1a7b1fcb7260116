"""A first sync has work done beside writing; what comes of it is what comes without."""

import random
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from blog import clock
from blog.articles import ahead, search_texts
from blog.articles.ahead import Ahead
from blog.articles.beside import LOT
from blog.articles.models import Article, ContentVersion, RelatedArticle, SearchPairs, SearchText, SearchWord
from blog.articles.publishing import publish
from blog.articles.related import Cards, Material, read
from blog.articles.search_rows import Row
from blog.articles.search_texts import is_told_pairs
from blog.articles.sync import sync
from blog.content.library import load
from blog.content.values import Library
from blog.db import Database
from tests.content.folders import write

WORDS = [f"{one}{two}er" for one in ("qu", "led", "tok", "vec", "cach") for two in "abcdefghijklmnopqrst"]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of just so many articles that a process of its own is worth it."""
    folder, chance = tmp_path_factory.mktemp("many") / "content", random.Random(1)
    others = {7: "draft: true\n", 8: "related: [a9, a7]\n", 9: "tags: [Queues, Back-pressure]\n"}
    for number in range(ahead.FEW + 2):
        body = " ".join(chance.choices(WORDS, k=9))
        write(
            folder,
            f"articles/a{number}.md",
            f"---\ntitle: No {number}\ndate: 2025-05-30\n{others.get(number, '')}---\n{body}.",
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
    asked = Ahead.cards

    def noted(beside: Ahead, material: Material) -> Cards | None:
        found = asked(beside, material)
        used.append(found is not None)
        return found

    monkeypatch.setattr(Ahead, "cards", noted)
    publish(database, content, clock.now, cache_dir=tmp_path / "cache")
    with_it = cards(database)
    with database.transaction() as session:
        session.execute(update(ContentVersion).values(related_to=""))
    publish(database, content, clock.now)
    assert used == [True, False]
    assert len(with_it) > ahead.FEW
    assert {"pinned", "related"} <= {row[3] for row in with_it}
    assert with_it == cards(database)


def test_what_it_compared_is_the_next_sync_s_to_mend(
    database: Database, content: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    publish(database, content, clock.now, cache_dir=cache)
    with database.reading() as session:
        documents = read(session, clock.now()).documents
    known = ahead.remembered.recall(cache)
    assert known
    assert list(known.articles.items()) == [(item.id, item.fingerprint) for item in documents]
    assert len(known.space.vectors) == len(documents)


def begun(library: tuple[Library, Path], now: datetime | None = None, *, with_pairs: bool = False) -> Ahead:
    found, cache = library
    beside = Ahead(lambda: now or clock.now(), cache, with_pairs=with_pairs)
    beside.begin(found)
    return beside


def process(beside: Ahead) -> "subprocess.Popen[bytes]":
    assert beside._process
    return beside._process


def material(database: Database, library: Library, now: datetime) -> Material:
    with database.transaction() as session:
        sync(session, library, now)
        return read(session, now)


def first_row(texts: int) -> int:
    """Return the first text of the first lot that begins in the last third."""
    return next(start for start in range(0, texts, LOT) if start >= texts - texts // 3)


def searched(database: Database) -> list[tuple[object, ...]]:
    columns = (SearchText.made_from, SearchText.title, SearchText.keys, SearchText.body)
    drawn = (SearchPairs.keys, SearchPairs.body)
    with database.reading() as session:
        made = select(Article.slug, *columns, *drawn).join_from(Article, SearchText)
        made = made.outerjoin(SearchPairs, SearchPairs.article_id == SearchText.article_id)
        texts = session.execute(made.order_by(Article.slug))
        words = session.execute(select(SearchWord.word, SearchWord.articles).order_by(SearchWord.word))
        return [tuple(row) for row in (*texts, *words)]


def test_search_reads_what_it_would_without_it(database: Database, library: tuple[Library, Path]) -> None:
    found, missing = library[0], []
    with begun(library, with_pairs=is_told_pairs(database.engine.dialect.name)) as beside:

        def given(rendering: str) -> Row | None:
            row = beside.search_row(rendering)
            missing.extend([] if row else [rendering])
            return row

        process(beside).wait()
        with database.transaction() as session:
            sync(session, found, clock.now(), searched=given)
    with_it = searched(database)
    with database.transaction() as session:
        session.execute(delete(SearchText))
        session.execute(delete(SearchWord))
        search_texts.refresh(session)
    published = [item.fingerprint for item in found.articles if item.status == "published"]
    made = set(published[first_row(len(published)) :])
    assert missing == [item.fingerprint for item in found.articles if item.fingerprint not in made]
    assert len(with_it) > ahead.FEW
    assert with_it == searched(database)


def test_what_search_reads_is_made_once_by_whoever_comes_first(library: tuple[Library, Path]) -> None:
    names = [item.fingerprint for item in library[0].articles if item.status == "published"]
    first = first_row(len(names))
    with begun(library) as beside:
        # The last lot that the process comes to, and the first that it makes rows of.
        assert beside.search_row(names[first]) is None
        process(beside).wait()
        given = [beside.search_row(name) for name in names]
    assert not any(given[: first + LOT])
    assert all(given[first + LOT :])
    assert len(given) > first + LOT


def test_for_other_articles_than_were_given_there_are_no_cards(
    database: Database, library: tuple[Library, Path]
) -> None:
    now = clock.now()
    stored = material(database, library[0], now)
    documents, names = stored.documents, stored.topic_names
    with begun(library) as beside:
        assert beside.cards(Material(documents[1:], names, set())) is None
        assert beside.cards(Material([*documents[1:], documents[0]], names, set())) is None
        assert beside.cards(Material(documents, {"queues": "Rows"}, set())) is None
        assert beside.cards(stored)


def test_an_article_that_has_become_due_meanwhile_is_chosen_later(
    database: Database, library: tuple[Library, Path]
) -> None:
    earlier = datetime.fromisoformat("2025-05-29T00:00:00+00:00")
    with begun(library, earlier) as beside:
        assert beside.cards(material(database, library[0], clock.now())) is None


def test_a_process_that_dies_has_made_nothing(database: Database, library: tuple[Library, Path]) -> None:
    with begun(library) as beside:
        process(beside).kill()
        process(beside).wait()
        assert beside.cards(material(database, library[0], clock.now())) is None


def test_who_leaves_early_leaves_nobody_behind(library: tuple[Library, Path]) -> None:
    with pytest.raises(RuntimeError), begun(library) as beside:
        raise RuntimeError
    assert process(beside).returncode is not None


def test_a_later_sync_and_a_small_one_need_none(library: tuple[Library, Path], tmp_path: Path) -> None:
    found, cache = library
    (tmp_path / "related.npz").write_bytes(b"")
    few = Library(found.site, found.articles[:9], [], [])
    for given, folder in ((found, None), (few, cache), (found, tmp_path)):
        with Ahead(lambda: clock.now() + timedelta(days=1), folder) as beside:
            beside.begin(given)
            assert beside._process is None
