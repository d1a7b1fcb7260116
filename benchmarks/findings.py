"""What a benchmark finds: a line when it is found, and a row of the one table that `make bench` ends with.

A finding is a figure with its unit, the goal for it, and what was measured beside it in the same run: a peer,
or the limit of what can be had. Judge by the ratio: another machine, or another hour, has other figures.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

#: Where findings are gathered, a line of JSON each; set by `python -m benchmarks`.
GATHERED = "BENCH_FINDINGS"


@dataclass(frozen=True)
class Finding:
    """One figure; `at_most` or `at_least` is the goal, in its unit or, with `of_peer`, times the peer's."""

    what: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    of_peer: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times the peer's figure it is."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        judged = self.ratio if self.of_peer else self.value
        if judged is None or (self.at_most is None and self.at_least is None):
            return None
        return (self.at_most is None or judged <= self.at_most) and (
            self.at_least is None or judged >= self.at_least
        )

    @property
    def goal(self) -> str:
        """The goal in words."""
        unit = f"× {self.peer}" if self.of_peer else self.unit
        bounds = (("≤", self.at_most), ("≥", self.at_least))
        return ", ".join(f"{sign} {shown(bound)} {unit}" for sign, bound in bounds if bound is not None)

    def row(self) -> tuple[str, str, str, str, str, str]:
        """Return what stands in the table: what, figure, beside it, ratio, goal, met."""
        beside = self.peer and f"{self.peer} {shown(self.peer_value)} {self.unit}"
        ratio = f"{self.ratio:.2f} ×" if self.ratio is not None else ""
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        return self.what, f"{shown(self.value)} {self.unit}", beside, ratio, self.goal, met


def tell(finding: Finding) -> None:
    """Print a finding, and put it with the others of this run."""
    what, figure, beside, ratio, goal, met = finding.row()
    judged = f"   (goal {goal}: {met.strip('*')})" if goal else ""
    compared = f"   {ratio}   {beside}" if beside else ""
    print(f"{what:<58} {figure:>16}{compared}{judged}", flush=True)
    if path := os.environ.get(GATHERED):
        with Path(path).open("a") as file:
            file.write(json.dumps(asdict(finding)) + "\n")


def table(findings: list[Finding]) -> str:
    """Return findings as a table in Markdown."""
    head = ("What", "Figure", "Beside it, in the same run", "Ratio", "Goal", "Met")
    rows = [head, ("---", "---:", "---", "---:", "---", "---"), *(finding.row() for finding in findings)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def shown(value: float | None) -> str:
    """Return a figure with as many digits as anybody compares."""
    if value is None:
        return ""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
