"""Publishes the given folders in turn, again and again: a process to be raced and killed.

Says a line before each round, so that whoever watches knows it is at work.
"""

import sys
from pathlib import Path

from blog import clock
from blog.articles.publishing import publish
from blog.db import Database


def main(url: str, rounds: int, cache: Path, folders: list[Path]) -> None:
    """Publish `rounds` times."""
    database = Database(url)
    for number in range(rounds):
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        publish(database, folders[number % len(folders)], clock.now, cache_dir=cache)
    database.dispose()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), [Path(name) for name in sys.argv[4:]])
