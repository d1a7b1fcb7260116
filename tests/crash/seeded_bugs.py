"""Two faults that real senders have had, seeded into the worker so that the crash run can show it sees them.

`python -m tests.crash.seeded_bugs NAME worker --until-idle` runs the real command line with one of them:

checkpoint  progress is written when a batch is fetched, before it is sent: a kill loses it
batch       results are written once per batch, not before the next message: a kill repeats it
"""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from blog.cli import main
from blog.delivery import ledger, recording
from blog.delivery.models import Delivery, DeliveryState
from blog.delivery.states import Claim, Owner, Result

BATCH = 20


def checkpoint_at_fetch() -> None:
    """Count what is claimed as accepted at once."""
    claim: Callable[..., tuple[list[Claim], int]] = ledger.claim

    def claim_and_forget(session: Session, *arguments: Any) -> tuple[list[Claim], int]:
        claims, skipped = claim(session, *arguments)
        ids = [row.id for row in claims]
        session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(state=DeliveryState.ACCEPTED))
        return claims, skipped

    def record(
        _session: Session, _owner: Owner, _results: object, intents: Sequence[int], _now: object
    ) -> set[int]:
        return set(intents)

    ledger.claim, recording.record = claim_and_forget, record  # type: ignore[assignment]


def results_per_batch() -> None:
    """Give leave without recording the hand-over, and record results twenty at a time."""
    record = recording.record
    kept: list[Result] = []

    def record_later(
        session: Session, owner: Owner, results: Sequence[Result], intents: Sequence[int], now: datetime
    ) -> set[int]:
        kept.extend(results)
        if len(kept) >= BATCH or not intents:
            ids = [result.delivery_id for result in kept]
            session.execute(
                update(Delivery).where(Delivery.id.in_(ids)).values(state=DeliveryState.HANDING_OVER)
            )
            record(session, owner, kept, [], now)
            kept.clear()
        return set(intents)

    recording.record = record_later  # type: ignore[assignment]


BUGS: dict[str, Callable[[], None]] = {"checkpoint": checkpoint_at_fetch, "batch": results_per_batch}

if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    main()
