"""One to four workers at once, killed at random, against a relay that does everything a bad relay does."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from blog.db import Database
from tests.crash import figures
from tests.crash.trials import Field, Verdict, Worker, trial

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("PROVE_CROWD", 500 if figures.FULL else 8 if figures.BRIEF else 60))
CONNECTIONS, MOST_WORKERS, RECIPIENTS = 3, 4, 250
FAULTS, DELAY = 0.12, 0.001
#: How long a worker may live: from before its first message to some dozens later.
LONGEST_LIFE = 0.12


def kill_some(field: Field, kills: int, chance: random.Random) -> list[int]:
    """Keep a changing number of workers, kill one after the other; return what each left under way."""
    workers: list[Worker] = []
    left: list[int] = []
    while len(left) < kills:
        if not field.waiting():
            field.plan(RECIPIENTS)
        while len(workers) < chance.randint(1, MOST_WORKERS):
            workers.append(field.start())
        time.sleep(chance.random() * LONGEST_LIFE)
        victim = workers.pop(chance.randrange(len(workers)))
        victim.signal(signal.SIGKILL)
        if victim.end() == -signal.SIGKILL:
            left.append(field.open(victim.token))
        if chance.random() < 0.2:
            field.hurry()
    for worker in workers:
        worker.end()
    return left


@pytest.mark.parametrize("policy", figures.POLICIES)
def test_workers_killed_at_random_lose_nothing_and_repeat_nothing_silently(
    database: Database, database_url: str, tmp_path: Path, policy: str, engine: str
) -> None:
    chance = random.Random(figures.SEED)
    with trial(database, database_url, tmp_path, policy, CONNECTIONS, figures.SEED, FAULTS, DELAY) as field:
        field.plan(RECIPIENTS)
        left = kill_some(field, KILLS, chance)
        field.finish()
        found: Verdict = field.audit()
        figures.note(
            "random SIGKILL of 1 to 4 workers", engine, policy, kills=len(left), messages=found.planned,
            lost=len(found.lost), doubled=len(found.doubled), uncertain=found.uncertain,
            open_per_kill=max(left), refused=found.refused, balance=not found.unbalanced,
        )  # fmt: skip
    assert found.wrong == []
    assert max(left) <= CONNECTIONS
    assert found.accepted + found.uncertain + found.refused == found.planned
