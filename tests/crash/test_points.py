"""A worker dies at every system call and at every line of a small issue, and another takes over."""

from pathlib import Path

import pytest

from blog.db import Database
from tests.crash import figures, tracing
from tests.crash.trials import Field, Verdict, trial

pytestmark = pytest.mark.crash

RECIPIENTS = 3
#: Every how many of them: CI has time for a few, `make prove` for some, the full proof for all.
CALL_STEP = 1 if figures.FULL else 80 if figures.BRIEF else 12
LINE_STEP = 4 if figures.FULL else 700 if figures.BRIEF else 90


def settle(field: Field, issue: int, found: list[Verdict]) -> None:
    """Let another worker take over, and audit."""
    field.finish()
    found.append(field.audit(issue))
    assert found[-1].wrong == []


def tell(run: str, engine: str, policy: str, found: list[Verdict], open_at_worst: int) -> None:
    figures.note(
        run, engine, policy, kills=len(found), lost=sum(len(v.lost) for v in found),
        doubled=sum(len(v.doubled) for v in found), uncertain=sum(v.uncertain for v in found),
        open_per_kill=open_at_worst, balance=not any(v.unbalanced for v in found),
    )  # fmt: skip
    assert open_at_worst <= 1


@pytest.mark.parametrize("policy", figures.POLICIES)
def test_a_worker_may_die_at_any_system_call(
    database: Database, database_url: str, tmp_path: Path, policy: str, engine: str
) -> None:
    tracing.needs_strace()
    found: list[Verdict] = []
    worst = 0
    with trial(database, database_url, tmp_path, policy) as field:
        field.plan(RECIPIENTS)
        calls = sorted(tracing.count(field).items())
        points = [(call, n) for call, number in calls for n in range(1, number + 1)]
        assert len(points) > 90
        for point in points[figures.SEED % CALL_STEP :: CALL_STEP]:
            issue = field.plan(RECIPIENTS)
            if tracing.killed_at(field, *point):
                worst = max(worst, field.open())
                settle(field, issue, found)
        tell("death at every system call", engine, policy, found, worst)


@pytest.mark.parametrize("policy", figures.POLICIES)
def test_a_worker_may_die_at_any_line(
    database: Database, database_url: str, tmp_path: Path, policy: str, engine: str
) -> None:
    found: list[Verdict] = []
    worst = 0
    with trial(database, database_url, tmp_path, policy) as field:
        field.plan(RECIPIENTS)
        _, _, lines = field.run(line=0)
        assert lines > 1000
        for number in range(1 + figures.SEED % LINE_STEP, lines + 1, LINE_STEP):
            issue = field.plan(RECIPIENTS)
            if field.run(line=number) is None:
                worst = max(worst, field.open())
                settle(field, issue, found)
        tell(f"death at every {LINE_STEP}. line", engine, policy, found, worst)
