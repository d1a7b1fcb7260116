"""Looks at this room's rows, for tests."""

import hashlib

from sqlalchemy import select

from blog.db import Base, Database
from blog.delivery.models import OutboxMail
from blog.subscribers.models import ConsentEvent, Subscriber


def subscribers(database: Database) -> list[Subscriber]:
    """Return every subscriber, oldest first."""
    with database.reading() as session:
        return list(session.scalars(select(Subscriber).order_by(Subscriber.id)))


def subscriber(database: Database) -> Subscriber:
    """Return the only subscriber there is."""
    (only,) = subscribers(database)
    return only


def events(database: Database) -> list[ConsentEvent]:
    """Return the whole consent record, oldest first."""
    with database.reading() as session:
        return list(session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)))


def event_names(database: Database) -> list[str]:
    """Return what the consent record says happened, oldest first."""
    return [event.event for event in events(database)]


def outbox(database: Database) -> list[str]:
    """Return the kinds of mail in the outbox, oldest first."""
    with database.reading() as session:
        return list(session.scalars(select(OutboxMail.kind).order_by(OutboxMail.id)))


def fingerprint(database: Database) -> str:
    """Return a hash over every row of every table but the shield's, which counts whatever comes."""
    digest = hashlib.sha256()
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name == "signup_counts":
                continue
            for row in session.execute(select(table).order_by(*table.primary_key.columns)):
                digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()
