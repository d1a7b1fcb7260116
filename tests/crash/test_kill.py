"""kill -9 in the middle of an issue: nothing lost, nothing silently repeated, every doubt named.

`make prove` runs this; the figures are printed, so that a reader can see how often what happened.
"""

import os
import signal
from pathlib import Path

import pytest

from blog.db import Database
from tests.crash import killing
from tests.crash.killing import CONNECTIONS, Audit

pytestmark = pytest.mark.crash

#: CI, which has little time, asks for fewer.
KILLS = int(os.environ.get("PROVE_KILLS", "50"))
RECIPIENTS = 40 * KILLS
SEEDED_KILLS = 12


def tell(name: str, audit: Audit) -> None:
    print(
        f"\n{name}: {audit.kills} kills, lost {len(audit.lost)}, "
        f"silently doubled {len(audit.silently_doubled)}, "
        f"uncertain {audit.uncertain} (of which the relay had {audit.uncertain_but_accepted}), "
        f"at most {audit.worst_kill} open per kill, balance {audit.balance}"
    )


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_killing_the_worker_loses_nothing_and_repeats_nothing_silently(
    database: Database, database_url: str, tmp_path: Path, policy: str, engine: str
) -> None:
    audit = killing.run(database, database_url, tmp_path, KILLS, RECIPIENTS, seed=2026, policy=policy)
    tell(f"{engine}, {policy}", audit)
    account = audit.balance
    assert audit.lost == []
    assert audit.silently_doubled == []
    assert audit.worst_kill <= CONNECTIONS
    assert audit.uncertain <= KILLS * CONNECTIONS
    assert account.eligible == RECIPIENTS == account.accepted + account.uncertain
    assert account.pending == 0
    if policy == "resend":
        assert account.accepted == RECIPIENTS


@pytest.mark.parametrize(("bug", "damage"), [("checkpoint", "lost"), ("batch", "silently_doubled")])
def test_the_same_run_catches_a_seeded_bug(
    database: Database, database_url: str, tmp_path: Path, bug: str, damage: str, engine: str
) -> None:
    command = ("-m", "tests.crash.seeded_bugs", bug)
    audit = killing.run(database, database_url, tmp_path, SEEDED_KILLS, 600, seed=2026, command=command)
    tell(f"{engine}, seeded bug {bug}", audit)
    assert len(getattr(audit, damage)) > 0


def test_a_worker_told_to_stop_leaves_nothing_in_doubt(
    database: Database, database_url: str, tmp_path: Path, engine: str
) -> None:
    audit = killing.run(
        database, database_url, tmp_path, kills=8, recipients=400, seed=7, stop_with=signal.SIGTERM
    )
    tell(f"{engine}, SIGTERM", audit)
    assert audit.worst_kill == 0
    assert audit.uncertain == 0
    assert audit.lost == audit.silently_doubled == []
    assert audit.balance.accepted == 400
