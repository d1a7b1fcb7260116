"""Both databases give the same answers: over the sample publication, over a made one of hundreds of articles,
and over real blogs if they are at hand.

Set TEST_CORPORA to a folder with one blog in each folder under it.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from blog import clock
from blog.articles.models import Article
from blog.articles.publishing import publish
from blog.articles.search import search
from blog.articles.sync import sync
from blog.articles.terms import words
from blog.content.values import ArticleFile
from blog.db import Database
from blog.settings import ROOT
from tests.articles.files import BEFORE, NOW, article_file, library

pytestmark = pytest.mark.slow

CORPORA = Path(os.environ.get("TEST_CORPORA", "/nonexistent"))
BLOGS = sorted(CORPORA.iterdir()) if CORPORA.is_dir() else []
QUERIES = 120
#: Of the made publication: so many that the databases must choose which articles are ranked at all.
ARTICLES, WORDS, SLIPS = 320, 400, 24


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


def slips(database: Database) -> list[str]:
    """Make searches with a slip of the pen: a letter left out, said twice, or two that changed places."""
    chance, made = random.Random(4), []
    with database.reading() as session:
        texts = [words(text) for text in session.scalars(select(Article.text).order_by(Article.slug))]
    known = sorted({word for text in texts for word in text if len(word) > 5})
    for number in range(SLIPS):
        word = chance.choice(known)
        place = chance.randrange(1, len(word) - 2)
        start, one, two, end = word[:place], word[place], word[place + 1], word[place + 2 :]
        made.append((start + two + end, start + one * 2 + two + end, start + two + one + end)[number % 3])
    return made


def vocabulary(chance: random.Random) -> list[str]:
    """Make words of two to four syllables, some with an accent; a few are the beginning of others."""
    syllables = [start + vowel for start in "bdfgklmnprstvz" for vowel in "aeiouéü"]
    made: dict[str, None] = {}
    while len(made) < WORDS:
        made["".join(chance.choices(syllables, k=chance.choice((2, 3, 3, 4))))] = None
    return list(made)


def generated() -> list[ArticleFile]:
    """Make articles whose words are as unevenly frequent as those of a language (Zipf's law)."""
    chance = random.Random(5)
    known = vocabulary(chance)
    weights = [1 / rank for rank in range(1, WORDS + 1)]

    def said(least: int, most: int) -> str:
        return " ".join(chance.choices(known, weights, k=chance.randint(least, most)))

    return [
        article_file(
            f"a-{number:03}",
            ". ".join(said(4, 16).capitalize() for _ in range(chance.randint(3, 24))) + ".",
            title=said(2, 5).capitalize(),
            description=said(0, 12),
            headings=[said(1, 4) for _ in range(chance.randint(0, 5))],
            topics=sorted(set(chance.choices(known[:40], k=chance.randint(0, 3)))),
            # Every third day has two articles, so that it takes more than a date to order them.
            published_at=BEFORE - timedelta(days=number - (number % 3 == 1)),
        )
        for number in range(ARTICLES)
    ]


def in_common(one: Database, two: Database, asked: Sequence[str], now: datetime) -> tuple[float, int]:
    """Ask both for the same; return which share of the top five they agree in, and how many found any."""
    shares = []
    for query in asked:
        with one.reading() as here, two.reading() as there:
            mine, other = search(here, query, now), search(there, query, now)
        assert (mine.total, mine.suggestion) == (other.total, other.suggestion), query
        first, second = ([result.article.slug for result in found.results[:5]] for found in (mine, other))
        if first:
            shares.append(len({*first} & {*second}) / len(first))
    return sum(shares) / len(shares), len(shares)


@pytest.mark.parametrize("folder", [ROOT / "content", *BLOGS], ids=lambda folder: folder.name)
def test_both_databases_give_the_same_first_results(folder: Path, database: Database, twin: Database) -> None:
    for one in (database, twin):
        publish(one, folder, clock.now)
    shared, asked = in_common(database, twin, queries(twin), clock.now())
    print(f"\n{folder.name}: top five in common {shared:.1%} over {asked} searches")
    assert shared >= 0.99


def test_both_databases_give_the_same_first_results_of_hundreds_of_articles(
    database: Database, twin: Database
) -> None:
    publication = library(*generated())
    for one in (database, twin):
        with one.transaction() as session:
            sync(session, publication, NOW)
    mistaken = slips(twin)
    shared, asked = in_common(database, twin, [*queries(twin)[:90], *mistaken], NOW)
    assert asked >= 80
    assert shared >= 0.99
    with database.reading() as session:
        meant = [search(session, slip, NOW).suggestion for slip in mistaken]
    assert sum(map(bool, meant)) >= SLIPS / 2
