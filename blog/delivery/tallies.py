"""How many deliveries of a mailing are in which state, as PostgreSQL keeps it with every move: decision 0008.

A trigger writes them, on each connection into rows of its own (migration 0016): no worker waits for another,
and what moves a delivery need not know of it. A number is how many more there are than when all were planned.
SQLite keeps none: there it would cost a message more than it saves whoever asks.
"""

from sqlalchemy import Select, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from blog.delivery.models import IS_UNUSUAL, IS_WAITING, Delivery, Mailing, Tally
from blog.delivery.states import PLANNED


def are_kept(session: Session) -> bool:
    """Whether this database keeps them."""
    return session.get_bind().dialect.name == "postgresql"


def kept(mailing_id: int) -> Select[str, int]:
    """Return the statement for the numbers of a mailing by state."""
    numbers = select(Tally.state, func.sum(Tally.number))
    return numbers.where(Tally.mailing_id == mailing_id).group_by(Tally.state)


def begin_anew(session: Session) -> None:
    """Count every delivery, once: they have come without moving, from another database."""
    session.execute(delete(Tally))
    into = ["mailing_id", "state", "part", "number"]
    unusual = select(Delivery.mailing_id, Delivery.state, literal(0), func.count()).where(IS_UNUSUAL)
    session.execute(insert(Tally).from_select(into, unusual.group_by(Delivery.mailing_id, Delivery.state)))
    mine = select(func.count()).where(Delivery.mailing_id == Mailing.id)
    planned = func.coalesce(Mailing.recipients, mine.scalar_subquery())
    waiting = mine.where(IS_WAITING, Delivery.state == PLANNED).scalar_subquery()
    left = select(Mailing.id, literal(PLANNED.value), literal(0), waiting - planned)
    session.execute(insert(Tally).from_select(into, left.where(waiting != planned)))
