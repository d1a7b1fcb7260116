"""How fast pages are served, beside nginx with the same file on the same machine, in turns.

The limit is a program under the same server that only holds the same bytes (`benchmarks.bare`).

    make bench        or    python -m benchmarks.site --articles 10000

Needs `wrk` and `nginx` (Debian's packages of these names). Requests a second move with whatever else the
machine does, so each round measures all, one after the other, and the ratio is what counts; the load is
printed with it. CPU is what the servers' own processes used, per request.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.bare import FOLDER
from benchmarks.findings import Finding, tell
from blog.cli.serve import FEW_HEAPS, command, let_threads_finish
from tests.journeys.installation import Installation, free_port

CONNECTIONS = 32
#: Header lines that a server says by itself.
OF_THE_SERVER = {"date", "server", "connection"}
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
GOALS = {"ratio": 0.50, "cpu": 3.0, "p99_ms": 10.0, "cold_ms": 15.0, "rss_mb": 120.0}
WORDS = ["queue", "retry", "budget", "signal", "backlog", "window", "ledger", "reader", "letter", "season"]


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw."""

    per_second: float
    p99_ms: float
    cpu_us: float


def children(process: int) -> list[int]:
    """Return a process and all that it started."""
    found, queue = [], [process]
    while queue:
        one = queue.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            queue += [int(number) for number in task.read_text().split()]
    return found


def cpu_seconds(process: int) -> float:
    total = 0
    for one in children(process):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_mb(process: int) -> float:
    """Return the memory of the largest process."""
    sizes = [int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE for one in children(process)]
    return max(sizes) / 1e6


def wrk(url: str, process: int, seconds: float, headers: dict[str, str]) -> Load:
    before = cpu_seconds(process)
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    count = int(re.findall(r"(\d+) requests in", said)[0])
    amount, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", said)[0]
    p99 = float(amount) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0])
    return Load(rate, p99, (cpu_seconds(process) - before) / count * 1e6)


@contextmanager
def started(
    command: list[str],
    probe: str,
    environment: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> Iterator[int]:
    """Run a server until it is no longer needed; `before` is called in its process."""
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL, preexec_fn=before
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(probe, timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def nginx_config(folder: Path, port: int) -> Path:
    path = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    path.write_text(
        f"{user} daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 512; }\nhttp { default_type text/html; access_log off; sendfile on;\n"
        "tcp_nopush on; keepalive_requests 100000000; open_file_cache max=1000;\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}/html; }} }}\n"
    )
    return path


def publish(site: Installation, articles: int) -> None:
    """Write and publish articles of about eight kilobytes."""
    for number in range(articles):
        words = [WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(900)]
        body = "\n\n".join(" ".join(words[at : at + 90]) for at in range(0, 900, 90))
        body += f"\n\n```python\ndef step(x):\n    return x + {number}\n```\n"
        date = (datetime.now(UTC) - timedelta(hours=number + 1)).isoformat()
        site.write(f"piece-{number:05}", body, title=f"Piece {number}", date=date, tags=[WORDS[number % 8]])
    site.blog("db", "upgrade")
    subprocess.run([sys.executable, "-m", "blog.cli", "sync"], env=site.environment, check=True)


@dataclass(frozen=True)
class Servers:
    """Who answers: us, nginx, and a program under our server that only holds the same bytes."""

    ours: int
    nginx: int
    bare: int
    site: str
    nginx_at: str
    bare_at: str


def compare(servers: Servers, folder: Path, options: argparse.Namespace) -> None:
    """Measure each kind of page at all three, in turns."""
    pages = {
        "article": "/articles/piece-00000",
        "home": "/",
        "topic": f"/topics/{WORDS[0]}",
        "feed": "/feed.xml",
    }
    for name, path in pages.items():
        with urllib.request.urlopen(servers.site + path) as answer:
            body, tag = answer.read(), answer.headers["ETag"]
            lines = [line for line in answer.headers.items() if line[0].lower() not in OF_THE_SERVER]
        (folder / f"{name}.html").write_bytes(body)
        (folder / f"{name}.json").write_text(json.dumps(lines))
        with urllib.request.urlopen(f"{servers.nginx_at}/{name}.html") as answer:
            their_tag = answer.headers["ETag"]
        for kind in ("200", "304"):
            rounds = []
            for _ in range(options.rounds):
                ours, theirs = ({"If-None-Match": one} if kind == "304" else {} for one in (tag, their_tag))
                peer = wrk(f"{servers.nginx_at}/{name}.html", servers.nginx, options.seconds, theirs)
                least = wrk(f"{servers.bare_at}/{name}", servers.bare, options.seconds, ours)
                mine = wrk(servers.site + path, servers.ours, options.seconds, ours)
                rounds.append((mine, peer, least))
            show(f"{name} {kind} ({len(body)} B)", rounds)


def show(name: str, rounds: list[tuple[Load, Load, Load]]) -> None:
    """Tell what the rounds have in the middle."""
    ratio = statistics.median(mine.per_second / peer.per_second for mine, peer, _ in rounds)
    limit = statistics.median(mine.per_second / least.per_second for mine, _, least in rounds)
    cpu = statistics.median(mine.cpu_us / peer.cpu_us for mine, peer, _ in rounds)
    ours_us = statistics.median(mine.cpu_us for mine, _, _ in rounds)
    p99 = statistics.median(mine.p99_ms for mine, _, _ in rounds)
    rate = statistics.median(mine.per_second for mine, _, _ in rounds)
    tell(Finding(name, rate, "/s", "nginx", rate / ratio, at_least=GOALS["ratio"], of_peer=True))
    tell(Finding(name, rate, "/s", "limit: the same bytes, held by a bare program", rate / limit))
    processor = f"{name}, processor time"
    tell(Finding(processor, ours_us, "µs", "nginx", ours_us / cpu, at_most=GOALS["cpu"], of_peer=True))
    tell(Finding(f"{name}, p99 of {CONNECTIONS} connections", p99, "ms", at_most=GOALS["p99_ms"]))


def cold(site: Installation, articles: int, process: int) -> None:
    """Print how long a page takes that nobody has asked for before, and what the longest of them cost."""
    times = []
    for number in range(100, min(articles, 160)):
        began = time.perf_counter()
        urllib.request.urlopen(f"{site.site}/articles/piece-{number:05}").read()
        times.append((time.perf_counter() - began) * 1000)
    if times:
        goal("cold page, median", statistics.median(times), "cold_ms", "ms")
    for path in ("/archive", "/sitemap.xml"):
        before = cpu_seconds(process)
        urllib.request.urlopen(site.site + path).read()
        print(f"{path} for the first time: {(cpu_seconds(process) - before) * 1000:.0f} ms CPU")


def goal(name: str, value: float, key: str, unit: str) -> None:
    """Tell a figure and what it should be at most."""
    tell(Finding(name, value, unit, at_most=GOALS[key]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not nginx or not shutil.which("wrk"):
        sys.exit("benchmarks.site: install nginx-light and wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = Installation(folder, f"sqlite:///{folder / 'blog.db'}", smtp_port=1, port=free_port())
        site.content.mkdir()
        (site.content / "site.toml").write_text('name = "Signal & System"\n')
        publish(site, options.articles)
        port, bare_port = free_port(), free_port()
        html = folder / "html"
        html.mkdir()
        for name in ("up.html", "up"):
            (html / name).write_text("up")
        (html / "up.json").write_text("[]")
        serve = [sys.executable, "-m", "blog.cli", "serve", "--port", str(site.port), "--workers", "2"]
        peer = [nginx, "-c", str(nginx_config(folder, port)), "-e", str(folder / "error.log")]
        least = [*command("127.0.0.1", bare_port, 2)[:-1], "benchmarks.bare:make"]
        holding = FEW_HEAPS | site.environment | {FOLDER: str(html)}
        with (
            started(serve, f"{site.site}/healthz", site.environment) as ours,
            started(peer, f"http://127.0.0.1:{port}/up") as theirs,
            started(least, f"http://127.0.0.1:{bare_port}/up", holding, let_threads_finish) as bare,
        ):
            servers = Servers(
                ours, theirs, bare, site.site, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{bare_port}"
            )
            cold(site, options.articles, ours)
            compare(servers, html, options)
            for number in range(min(options.articles, 3000)):
                urllib.request.urlopen(f"{site.site}/articles/piece-{number:05}").close()
            goal("largest process", resident_mb(ours), "rss_mb", "MB")


if __name__ == "__main__":
    main()
