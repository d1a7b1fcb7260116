"""Everything the project claims of its speed, measured in one run and put into one table.

    make bench        or    python -m benchmarks --full --peers VENV

Without `--full` each benchmark is short: good to see that nothing has become much slower, not for figures to
be repeated. One that fails does not stop the others; it is named below the table, which is in var/bench.md as
well.
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.findings import GATHERED, Finding, table

#: Each with what makes it short, and what makes it as large as the claim.
PARTS: dict[str, tuple[list[str], list[str]]] = {
    "building": (["--articles", "300"], ["--articles", "10000"]),
    "rendering": (["--articles", "300"], ["--articles", "10000"]),
    "exporting": (["--articles", "300"], ["--articles", "10000"]),
    "site": (["--articles", "300", "--rounds", "1", "--seconds", "1"], ["--articles", "10000"]),
    "search": (["--articles", "1000", "--queries", "100"], ["--articles", "10000"]),
    "relating": (["--articles", "2000"], ["--articles", "10000"]),
    "people": (["--rows", "5000", "--rounds", "20"], []),
    "spike": (["--seconds", "3"], []),
    "sending": (["--recipients", "1000", "--rounds", "1"], ["--recipients", "10000", "--dkim"]),
    "scaling": (["--recipients", "2000"], ["--recipients", "10000", "1000000"]),
    "tallying": (["--recipients", "2000", "--rounds", "2"], []),
    "planning": (["--subscribers", "50000"], ["--subscribers", "1000000"]),
    "moving": (["--people", "5000"], []),
    "million": (["--subscribers", "20000", "--articles", "500", "--seconds", "3"], []),
}
WITH_PEERS = {"building", "rendering", "exporting"}
RESULT = Path("var/bench.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--full", action="store_true", help="at the size that is claimed; an hour or more")
    parser.add_argument("--peers", type=Path, help="a virtual environment with hugo and pelican in it")
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - PARTS.keys()):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(PARTS)}")
    started, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        gathered = Path(folder) / "findings"
        gathered.touch()
        failed = [part for part in options.parts or PARTS if not _run(part, options, gathered)]
        findings = [Finding(**json.loads(line)) for line in gathered.read_text().splitlines()]
    minutes = (time.monotonic() - started) / 60
    said = f"{_machine()}; load {load:.1f} at the beginning; {minutes:.0f} minutes.\n\n{table(findings)}"
    if failed:
        said += f"\nDid not come to an end: {', '.join(failed)}.\n"
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(f"# Measured\n\n{said}")
    print(f"\n{said}\nThis is in {RESULT} too.")
    sys.exit(bool(failed))


def _run(part: str, options: argparse.Namespace, gathered: Path) -> bool:
    short, full = PARTS[part]
    peers = ["--peers", str(options.peers)] if options.peers and part in WITH_PEERS else []
    print(f"\n== {part}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{part}", *(full if options.full else short), *peers]
    return subprocess.run(command, env={**os.environ, GATHERED: str(gathered)}, check=False).returncode == 0


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} × {model}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


if __name__ == "__main__":
    main()
