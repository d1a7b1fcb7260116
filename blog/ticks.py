"""Recurring work that many may ask for and one does: a lease in the database says when each kind is due next.

However many schedulers tick, and on however many hosts, a kind of work is begun once a period.
"""

from datetime import datetime, timedelta

from sqlalchemy import String, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from blog.db import Base, UTCDateTime

#: A lease further away than this was taken by a clock that runs ahead, and holds nobody up.
FAR = timedelta(minutes=2)


class Tick(Base):
    """One kind of recurring work, and when it is due next."""

    __tablename__ = "ticks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)


def claim(session: Session, name: str, period: timedelta, now: datetime) -> bool:
    """Take the next turn of a kind of work if it is due; of those who ask at once, one gets it."""
    # Schedulers are not exact: a tick that comes a moment early must not cost a whole period.
    return _put(session, name, now + period * 0.8, or_(Tick.due_at <= now, Tick.due_at > now + period + FAR))


def put_off(session: Session, name: str, until: datetime) -> None:
    """Have a kind of work wait until then, whoever asks."""
    _put(session, name, until, Tick.due_at < until)


def due_now(session: Session, name: str, now: datetime) -> None:
    """Let the next tick have the turn: whoever had it has begun."""
    _put(session, name, now, Tick.due_at > now)


def _put(session: Session, name: str, due_at: datetime, where: object) -> bool:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Tick).values(name=name, due_at=due_at)
    taken = statement.on_conflict_do_update(
        index_elements=[Tick.name],
        set_={"due_at": statement.excluded.due_at},
        where=where,  # type: ignore[arg-type]
    )
    return session.scalar(taken.returning(Tick.name)) is not None
