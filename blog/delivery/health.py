"""Counts what goes wrong with each mailing while it is sent; what goes right costs nothing."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from blog.delivery import balance
from blog.delivery.models import Delivery, MailingHealth
from blog.delivery.states import DEFERRED, PLANNED
from blog.delivery.upsert import upsert


def bounced(session: Session, delivery_ids: Sequence[int]) -> None:
    """Count deliveries that have bounced, at the relay or later."""
    rows = session.scalars(select(Delivery.mailing_id).where(Delivery.id.in_(delivery_ids)))
    for mailing_id, number in sorted(Counter(rows).items()):
        _add(session, mailing_id, "bounced", number)


def complained(session: Session, mailing_id: int) -> None:
    """Count a complaint."""
    _add(session, mailing_id, "complained", 1)


def begin_anew(session: Session, mailing_id: int) -> None:
    """Forgive what has been so far: somebody has looked at it, and lets the mailing go on."""
    session.execute(
        update(MailingHealth)
        .where(MailingHealth.mailing_id == mailing_id)
        .values(
            bounced=0,
            complained=0,
            look_at=0,
            settled_before=settled(session, mailing_id),
            canary_to=None,
            canary_since=None,
        )
        .execution_options(synchronize_session=False)
    )


def settled(session: Session, mailing_id: int) -> int:
    """Return how many of a mailing's deliveries wait no more."""
    counts = balance.states(session, mailing_id)
    return sum(counts.values()) - counts.get(PLANNED, 0) - counts.get(DEFERRED, 0)


def _add(session: Session, mailing_id: int, name: str, number: int) -> None:
    column = getattr(MailingHealth, name)
    values = {"mailing_id": mailing_id, name: number}
    session.execute(
        upsert(session, MailingHealth)
        .values(values)
        .on_conflict_do_update(index_elements=["mailing_id"], set_={name: column + number})
        .execution_options(synchronize_session=False)
    )
