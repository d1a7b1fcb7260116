"""kill -9 in the middle of an issue: nothing lost, nothing silently repeated, every doubt named.

The real command, each time started anew; `test_crowd.py` kills many more, and several at once.
"""

import os
import signal
from pathlib import Path

import pytest

from blog.db import Database
from tests.crash import figures, killing
from tests.crash.killing import CONNECTIONS, Audit

pytestmark = pytest.mark.crash

#: CI, which has little time, asks for fewer.
KILLS = int(os.environ.get("PROVE_KILLS", "50"))
RECIPIENTS = 40 * KILLS


def tell(run: str, engine: str, policy: str, audit: Audit) -> None:
    account = audit.balance
    settled = account.accepted + account.skipped + account.bounced + account.failed + account.uncertain
    figures.note(
        run, engine, policy, kills=audit.kills, messages=account.eligible, lost=len(audit.lost),
        doubled=len(audit.silently_doubled), uncertain=audit.uncertain, open_per_kill=audit.worst_kill,
        balance=account.eligible == settled + account.pending,
    )  # fmt: skip


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_killing_the_worker_loses_nothing_and_repeats_nothing_silently(
    database: Database, database_url: str, tmp_path: Path, policy: str, engine: str
) -> None:
    audit = killing.run(database, database_url, tmp_path, KILLS, RECIPIENTS, seed=2026, policy=policy)
    tell("random SIGKILL of the command", engine, policy, audit)
    account = audit.balance
    assert audit.lost == []
    assert audit.silently_doubled == []
    assert audit.worst_kill <= CONNECTIONS
    assert audit.uncertain <= KILLS * CONNECTIONS
    assert account.eligible == RECIPIENTS == account.accepted + account.uncertain
    assert account.pending == 0
    if policy == "resend":
        assert account.accepted == RECIPIENTS


def test_a_worker_told_to_stop_leaves_nothing_in_doubt(
    database: Database, database_url: str, tmp_path: Path, engine: str
) -> None:
    audit = killing.run(
        database, database_url, tmp_path, kills=8, recipients=400, seed=7, stop_with=signal.SIGTERM
    )
    tell("SIGTERM", engine, "hold", audit)
    assert audit.worst_kill == 0
    assert audit.uncertain == 0
    assert audit.lost == audit.silently_doubled == []
    assert audit.balance.accepted == 400
