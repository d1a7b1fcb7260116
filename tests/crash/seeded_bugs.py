"""Faults that a programmer might make in a sender, seeded into a worker to show that the runs see them.

Each is a small change to the product's own code in the worker's process, named by what it does wrong.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from blog.delivery import balance, desk, ledger, outcomes, recording
from blog.delivery.models import IS_IN_HAND, Delivery, DeliveryState
from blog.delivery.states import LONG_AGO, Claim, Owner, Policy, Result
from blog.worker import embedded

BATCH = 20
Record = Callable[[Session, Owner, Sequence[Result], Sequence[int], datetime], set[int]]


def checkpoint_at_fetch() -> None:
    """Count what is claimed as accepted at once: a kill loses it."""
    claim: Callable[..., tuple[list[Claim], int]] = ledger.claim

    def claim_and_forget(session: Session, *arguments: Any) -> tuple[list[Claim], int]:
        claims, skipped = claim(session, *arguments)
        _set(session, [row.id for row in claims], state=DeliveryState.ACCEPTED)
        return claims, skipped

    def record(
        _session: Session, _owner: Owner, _results: object, intents: Sequence[int], _now: object
    ) -> set[int]:
        return set(intents)

    ledger.claim, recording.record = claim_and_forget, record  # type: ignore[assignment]


def results_per_batch() -> None:
    """Record results twenty at a time, not before the next message: a kill repeats them."""
    _record_late(BATCH)


def no_intent() -> None:
    """Let a message leave without writing down that it is about to: a kill repeats it."""
    _record_late(1)


def _record_late(at_once: int) -> None:
    record: Record = recording.record  # type: ignore[assignment]
    kept: list[Result] = []

    def record_later(
        session: Session, owner: Owner, results: Sequence[Result], intents: Sequence[int], now: datetime
    ) -> set[int]:
        kept.extend(results)
        if len(kept) >= at_once or not intents:
            _set(session, [result.delivery_id for result in kept], state=DeliveryState.HANDING_OVER)
            record(session, owner, kept, [], now)
            kept.clear()
        return set(intents)

    recording.record = record_later  # type: ignore[assignment]


def doubt_forgotten() -> None:
    """Take what a dead worker was handing over as not sent, without a word."""
    ledger._after_unknown = lambda _policy: {
        "state": "planned",
        "reason": None,
        "unknowns": Delivery.unknowns,
    }


def resent_under_hold() -> None:
    """Send what is uncertain once more although the operator has said `hold`."""
    after_dot = outcomes._after_dot
    outcomes._after_dot = lambda claim, lost, _policy, now: after_dot(claim, lost, Policy.RESEND, now)


def lost_answer_is_a_failure() -> None:
    """Take a connection that broke after the final dot like one that broke before it."""
    outcomes._after_dot = lambda claim, lost, _policy, now: outcomes._broken(claim, lost.why, now)


def refused_for_now_is_a_bounce() -> None:
    """Take a 4xx as the end of the address."""

    def bounced(claim: Claim, reply: object, _now: datetime) -> Result:
        return Result(claim.id, DeliveryState.BOUNCED, "address refused", str(reply), bad_address=True)

    outcomes._deferred = bounced


def message_id_anew() -> None:
    """Give each attempt a Message-ID of its own."""
    claim: Callable[..., tuple[list[Claim], int]] = ledger.claim

    def claim_anew(session: Session, *arguments: Any) -> tuple[list[Claim], int]:
        claims, skipped = claim(session, *arguments)
        return [row._replace(message_id=f"<{uuid4().hex}@example.org>") for row in claims], skipped

    ledger.claim = claim_anew


def opt_out_at_planning_only() -> None:
    """Look at who has left when the issue is planned, and never again."""
    ledger._CLAIM = ledger._CLAIM.values(state="claimed", reason=None)
    for dialect, statement in recording._HAND_OVER.items():
        recording._HAND_OVER[dialect] = statement.values(state="handing_over", reason=None)


def lease_ignored() -> None:
    """Take every other worker for dead."""
    recover = ledger.recover

    def recover_all(session: Session, owner: Owner, policy: Policy, now: datetime) -> tuple[int, int]:
        theirs = update(Delivery).where(IS_IN_HAND, Delivery.owner != owner.token)
        session.execute(theirs.values(lease_until=LONG_AGO).execution_options(synchronize_session=False))
        return recover(session, owner, policy, now)

    ledger.recover = recover_all


def no_fence() -> None:
    """Let a message leave whoever owns its row by now, and write the result over whatever is there."""
    record: Record = recording.record  # type: ignore[assignment]

    def record_anyway(
        session: Session, owner: Owner, results: Sequence[Result], intents: Sequence[int], now: datetime
    ) -> set[int]:
        ids = [result.delivery_id for result in results]
        _set(session, [*ids, *intents], state=DeliveryState.HANDING_OVER, owner=owner.token)
        record(session, owner, results, [], now)
        return set(intents)

    recording.record = record_anyway  # type: ignore[assignment]


def claim_without_guard() -> None:
    """Fetch what is open without marking it as taken: two workers fetch the same."""
    no_fence()

    def fetch(
        session: Session, mailing_id: int, _owner: Owner, limit: int, *_: object
    ) -> tuple[list[Claim], int]:
        mine = select(*ledger._CLAIMED_COLUMNS).where(
            Delivery.mailing_id == mailing_id, Delivery.state == DeliveryState.PLANNED
        )
        return [Claim(*row) for row in session.execute(mine.order_by(Delivery.id).limit(limit))], 0

    ledger.claim = fetch


def failed_commit_swallowed() -> None:
    """Log that a commit has failed, and go on."""
    commit = desk.Desk._commit

    def commit_or_not(self: desk.Desk, slips: list[desk.Slip]) -> None:
        try:
            commit(self, slips)
        except OperationalError:
            for slip in slips:
                slip.granted = slip.intent is not None

    desk.Desk._commit = commit_or_not  # type: ignore[method-assign]


def no_drain() -> None:
    """End at once on SIGTERM."""

    def die_on_signal() -> threading.Event:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        return threading.Event()

    embedded.stop_on_signal = die_on_signal


def balance_from_counters() -> None:
    """Count results beside the rows, and give the counters for the balance."""
    file = Path("/proc/self/fd/1").resolve().with_name("counters.json")
    commit, recount = desk.Desk._commit, balance.balance

    def commit_and_count(self: desk.Desk, slips: list[desk.Slip]) -> None:
        commit(self, slips)
        counted = json.loads(file.read_text()) if file.exists() else {}
        for result in (result for slip in slips for result in slip.results):
            counted[result.state] = counted.get(result.state, 0) + 1
        file.with_suffix(".new").write_text(json.dumps(counted))
        file.with_suffix(".new").rename(file)

    def read_counters(session: Session, mailing_id: int) -> Any:
        found = recount(session, mailing_id)
        counted = json.loads(file.read_text()) if file.exists() else {}
        return found and replace(found, **{name: counted.get(name, 0) for name in ("accepted", "uncertain")})

    desk.Desk._commit, balance.balance = commit_and_count, read_counters  # type: ignore[method-assign]


def _set(session: Session, numbers: Sequence[int], **values: object) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(numbers))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


#: Each bug, and the run of `test_bugs.py` that catches it.
BUGS: dict[str, tuple[Callable[[], None], str]] = {
    "progress written when a batch is fetched": (checkpoint_at_fetch, "kill"),
    "results written once per batch": (results_per_batch, "kill"),
    "no record before a message leaves": (no_intent, "kill"),
    "what a dead worker had in hand taken as not sent": (doubt_forgotten, "kill"),
    "balance from counters instead of rows": (balance_from_counters, "kill"),
    "the uncertain resent although on hold": (resent_under_hold, "lost answer"),
    "an answer lost after the dot taken as not sent": (lost_answer_is_a_failure, "lost answer"),
    "a new Message-ID for each attempt": (message_id_anew, "lost answer, resend"),
    "a 4xx taken as a bounce": (refused_for_now_is_a_bounce, "greylisting"),
    "opt-outs looked at when planning only": (opt_out_at_planning_only, "opt-out"),
    "leases ignored": (lease_ignored, "two workers"),
    "claim without a guard": (claim_without_guard, "two workers"),
    "no fence after a lease is over": (no_fence, "freeze"),
    "a failed commit swallowed": (failed_commit_swallowed, "failing disk"),
    "no drain on SIGTERM": (no_drain, "SIGTERM"),
}
