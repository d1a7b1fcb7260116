"""Each figure in the table says what it is measured against, and whether that is good enough."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS
from benchmarks.findings import GATHERED, Finding, table, tell
from blog.settings import ROOT

#: What the others are made of.
HELPERS = {"bare", "__init__", "__main__", "corpus", "findings", "load"}


@pytest.mark.parametrize(
    ("finding", "met"),
    [
        (Finding("a", 3.0, "s"), None),
        (Finding("a", 3.0, "s", at_most=3.0), True),
        (Finding("a", 3.1, "s", at_most=3.0), False),
        (Finding("a", 5_000, "/s", at_least=5_000), True),
        (Finding("a", 4_999, "/s", at_least=5_000), False),
        (Finding("a", 3.0, "s", "Hugo", 6.0, at_most=0.5, of_peer=True), True),
        (Finding("a", 3.0, "s", "Hugo", 5.0, at_most=0.5, of_peer=True), False),
        (Finding("a", 8.0, "/s", "Flask-Mail", 1.0, at_least=8.0, of_peer=True), True),
        (Finding("a", 8.0, "/s", at_least=8.0, of_peer=True), None),
    ],
)
def test_a_goal_is_met_or_not(finding: Finding, met: bool | None) -> None:
    assert finding.met is met


def test_the_table_names_figure_peer_ratio_and_goal() -> None:
    rows = table(
        [
            Finding("first sync", 40.04, "s", "Hugo", 80.08, at_most=1.0, of_peer=True),
            Finding("mails", 4_000.4, "/s", at_least=5_000),
        ]
    ).splitlines()
    assert rows[2] == "| first sync | 40.0 s | Hugo 80.1 s | 0.50 × | ≤ 1 × Hugo | yes |"
    assert rows[3] == "| mails | 4,000 /s |  |  | ≥ 5,000 /s | **no** |"


def test_a_finding_is_printed_and_gathered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Finding("first sync", 40.0, "s", "Hugo", 80.0, at_most=1.0, of_peer=True)
    monkeypatch.setenv(GATHERED, str(tmp_path / "findings"))
    tell(told)
    tell(told)
    assert "0.50 ×   Hugo 80 s   (goal ≤ 1 × Hugo: yes)" in capsys.readouterr().out
    lines = (tmp_path / "findings").read_text().splitlines()
    assert [Finding(**json.loads(line)) for line in lines] == [told, told]


def test_every_benchmark_is_part_of_the_one_table_and_tells_what_it_finds() -> None:
    there = {path.stem: path.read_text() for path in (ROOT / "benchmarks").glob("*.py")}
    assert there.keys() - HELPERS == PARTS.keys()
    assert [name for name in PARTS if "tell(" not in there[name]] == []
