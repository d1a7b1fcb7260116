"""Both databases give the same answers: over the sample publication, and over real blogs if they are at hand.

Set TEST_CORPORA to a folder with one blog in each folder under it.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from blog import clock
from blog.articles.models import Article
from blog.articles.publishing import publish
from blog.articles.search import search
from blog.articles.terms import words
from blog.db import Database
from blog.settings import ROOT

CORPORA = Path(os.environ.get("TEST_CORPORA", "/nonexistent"))
BLOGS = sorted(CORPORA.iterdir()) if CORPORA.is_dir() else []
QUERIES = 120


@pytest.fixture
def twin(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """A SQLite database beside the one of the test, which is PostgreSQL every second time."""
    path = tmp_path / "twin.db"
    shutil.copy(migrated_sqlite, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


def queries(database: Database) -> list[str]:
    """Make searches from the articles' own words: common and rare ones, pairs, beginnings, phrases."""
    chance = random.Random(3)
    with database.reading() as session:
        texts = [words(text) for text in session.scalars(select(Article.text).order_by(Article.slug))]
    counted = [word for word, _ in Counter(word for text in texts for word in text).most_common()]
    made = []
    for number in range(QUERIES):
        text = chance.choice([text for text in texts if len(text) > 3])
        place = chance.randrange(len(text) - 2)
        pair, usual = text[place : place + 2], chance.choice(counted[:200])
        kinds = (
            usual,
            chance.choice(counted),
            " ".join(pair),
            f'"{" ".join(pair)}"',
            f"{usual} {pair[0]}",
            usual[:3],
        )
        made.append(kinds[number % len(kinds)])
    return made


@pytest.mark.parametrize("folder", [ROOT / "content", *BLOGS], ids=lambda folder: folder.name)
def test_both_databases_give_the_same_first_results(folder: Path, database: Database, twin: Database) -> None:
    for one in (database, twin):
        publish(one, folder, clock.now)
    now, shared, asked = clock.now(), 0.0, 0
    for query in queries(twin):
        with database.reading() as here, twin.reading() as there:
            mine, other = search(here, query, now), search(there, query, now)
        assert (mine.total, mine.suggestion) == (other.total, other.suggestion), query
        first, second = ([result.article.slug for result in found.results[:5]] for found in (mine, other))
        if first:
            shared += len({*first} & {*second}) / len(first)
            asked += 1
    print(f"\n{folder.name}: top five in common {shared / asked:.1%} over {asked} searches")
    assert shared / asked >= 0.99
