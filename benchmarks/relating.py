"""What it takes to relate all articles with each other, and to relate one that changed with all others.

    python -m benchmarks.relating --articles 10000

Words are counted, compared, and the neighbours found; no database and no cards. The one that changed is
compared under the weights of the last whole comparison (`blog/articles/space.py`), where the texts are many.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

from benchmarks.corpus import texts
from benchmarks.findings import Finding, tell
from blog.articles.space import can_mend, compare, mend
from blog.articles.terms import Counted, counted

Outcome = TypeVar("Outcome")


def timed(label: str, work: Callable[[], Outcome], times: int = 1) -> tuple[Outcome, float]:
    """Do some work, several times; print and return the median of its seconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        found = work()
        taken.append(time.perf_counter() - began)
    print(f"{label:32}{median(taken):8.3f} s")
    return found, median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--articles", type=int, default=10_000)
    options = parser.parse_args()
    written = [(title, body) for _, title, _, _, body in texts(options.articles)]

    def count() -> list[Counted]:
        return [counted(title, (), body) for title, body in written]

    words, _ = timed("counting the words of all", count)
    space, whole = timed("comparing all with all", lambda: compare(words))
    if not can_mend(space, options.articles - 1, 1):
        print("so few are always compared all with all")
        return
    edited = counted("Another title", (), written[0][1] + " " + written[1][1])
    sources = [edited, *range(1, options.articles)]
    _, one = timed("comparing one with all", lambda: mend(space, sources), times=5)
    tell(Finding("one article related anew", one, "s", "all of them", whole))


if __name__ == "__main__":
    main()
