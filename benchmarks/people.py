"""How people come in: a list of 100,000 brought over, on both databases.

    make bench        or    python -m benchmarks.people lists --rows 100000

The goal is 60 seconds, with the file read, every line checked and everything stored.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.search import databases
from blog import clock, migrate
from blog.cli import subscriber_lists
from blog.content.values import Site, Topic
from blog.db import Database
from blog.links import Links
from blog.settings import load_settings
from blog.subscribers import exporting
from blog.subscribers.admission import Source
from blog.subscribers.importing import Reading
from blog.tokens import Tokens
from blog.web.context import Services

SITE = Site(name="Bench", tagline="", timezone="Europe/Berlin", topics=(Topic("systems", "Systems"),))
TOKENS = Tokens((b"a-secret-for-benchmarks-0123456789abcdef",))


def lists(rows: int) -> None:
    """Bring a list in that was written elsewhere, rehearse it once more, and write the whole table out."""
    with databases() as found, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        _write(path, rows)
        for name, database in found.items():
            migrate.upgrade(database)
            first, result = _taken_over(database, path, dry_run=False)
            assert result.added == rows * 19 // 20, result
            assert result.tightened == rows // 20, result
            again, _ = _taken_over(database, path, dry_run=True)
            started = time.perf_counter()
            written = sum(1 for _ in exporting.rows(database))
            out = time.perf_counter() - started
            print(
                f"{name:<11} {rows:,} rows in {first:5.1f} s (goal 60)   a rehearsal over the same "
                f"{again:5.1f} s   {written:,} rows out {out:5.1f} s"
            )


def _write(path: Path, rows: int) -> None:
    """Write a list as Ghost does; one in twenty has opted out there."""
    with path.open("w", encoding="utf-8") as file:
        file.write("id,email,name,note,subscribed_to_emails,created_at,deleted_at,labels\n")
        for number in range(rows):
            mailed = "false" if number % 20 == 0 else "true"
            file.write(
                f"{number},reader{number}@mail{number % 97}.example.org,A Reader,,{mailed},"
                f'2024-02-21T10:10:10.000Z,,"systems,vip"\n'
            )


def _taken_over(database: Database, path: Path, dry_run: bool):  # type: ignore[no-untyped-def]
    services = Services(load_settings(), database, TOKENS, Links("http://localhost"), lambda: SITE)  # type: ignore[arg-type]
    started = time.perf_counter()
    total, peer = subscriber_lists.looked_through(path)
    reading = Reading(TOKENS, SITE, peer, clock.now())
    subscriber_lists.take_over(services, reading, path, total, Source(peer.name, "a benchmark"), dry_run)
    return time.perf_counter() - started, reading.result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("part", nargs="?", choices=["lists"], default="lists")
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    lists(options.rows)


if __name__ == "__main__":
    main()
