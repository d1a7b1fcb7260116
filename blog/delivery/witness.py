"""What was last sent from here, kept beside the database: it gives away a database that is older than that.

A restored backup would mail everybody again who was mailed since it was taken, and so would a replica that
took over before it had the last commits. What was accepted stays so, or bounces later, so a delivery that was
recorded as accepted and is open now can only mean that time went back.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.delivery import control, ledger
from blog.delivery.events import Event
from blog.delivery.models import Delivery, DeliveryState
from blog.delivery.states import OPEN, Owner, Result
from blog.errors import BlogError

log = structlog.get_logger(__name__)

SUFFIX = ".sent"
#: Where a delivery that was accepted once can be: a bounce or a complaint may have followed.
HAD_IT = (DeliveryState.ACCEPTED, DeliveryState.BOUNCED, DeliveryState.FAILED)


class Restored(BlogError):
    """The database has been restored from a backup, and is older than what has been sent."""

    def __init__(self) -> None:
        super().__init__(
            "the database does not know of mail that was sent from here, so it must come from a backup, "
            "or be a replica that lagged behind: nothing is sent; to go on, with every issue under way "
            "paused, run: blog worker --after-restore"
        )


@dataclass(frozen=True)
class Witness:
    """A worker's note, in the folder of the slots, of the delivery that it has last seen accepted."""

    folder: Path
    owner: Owner

    def note(self, results: Sequence[Result]) -> None:
        """Write down the last accepted one of these results, whose commit is done.

        Not synced: after a power cut the note may be older than the database, and then says nothing wrong.
        """
        accepted = [result.delivery_id for result in results if result.state == DeliveryState.ACCEPTED]
        if not accepted:
            return
        file = self.folder / f"{self.owner.slot.rpartition('/')[2]}{SUFFIX}"
        # A disk that takes no note must not stop a sender whose commit is done; an older note gives no alarm.
        with contextlib.suppress(OSError), file.open("r+b" if file.exists() else "wb", buffering=0) as note:
            note.write(b"%020d" % accepted[-1])


def last_sent(folder: Path) -> list[int]:
    """Return the deliveries that all notes name; to be read before the transaction that they are asked in."""
    said = [file.read_bytes() for file in folder.glob(f"*{SUFFIX}")]
    return [int(number) for number in said if number.isdigit()]


def refuse_restored(session: Session, sent: Sequence[int]) -> None:
    """Raise `Restored` if one of these deliveries, each of which was accepted, is still to be sent."""
    if not sent:
        return
    known = select(func.count()).where(Delivery.id.in_(sent), Delivery.state.in_(HAD_IT))
    if session.scalar(known) != len(set(sent)):
        raise Restored


def halt_if_restored(session: Session, sent: Sequence[int], now: datetime) -> bool:
    """Pause all that is being sent, on every host, if one of these is still to be sent; return whether."""
    try:
        refuse_restored(session, sent)
    except Restored as error:
        _halt(session, str(error), now)
        return True
    return False


def halt_if_forgotten(session: Session, accepted: Sequence[int], now: datetime) -> None:
    """Pause all that is being sent if the database has no record that one of these was about to leave.

    What the relay has taken and we may not record belongs to whoever found our lease over, and is in doubt
    then. Where it is not, the leave that we had is gone, and the row would be sent again without a word.
    """
    undoubted = Delivery.state.in_(OPEN), Delivery.unknowns == 0
    if session.scalar(select(Delivery.id).where(Delivery.id.in_(accepted), *undoubted).limit(1)):
        _halt(session, str(Restored()), now)


def _halt(session: Session, why: str, now: datetime) -> None:
    log.error("delivery.time_went_back", paused=pause_everything(session, now), why=why)


def pause_everything(session: Session, now: datetime) -> list[int]:
    """Pause each mailing that is being sent, since it may be older than what has gone out; return them."""
    mailings = ledger.sending(session)
    for mailing_id in mailings:
        control.move(session, mailing_id, Event.PAUSED, now)
    return mailings


def forget(folder: Path) -> None:
    """Drop all notes: from now on this database is the truth."""
    for file in folder.glob(f"*{SUFFIX}"):
        file.unlink()
