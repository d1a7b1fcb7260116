"""The migrations: numbered, one head, equal to the models, up and down with data in the tables."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import DatabaseError

from blog import clock, migrate, revisions
from blog.db import Database
from blog.delivery import balance
from blog.delivery.models import Delivery, Mailing, MailingState
from blog.schema import described, metadata
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import ConsentEvent
from blog.tokens import Tokens
from tests.factories import make_article, make_subscriber
from tests.mailings import make_mailing


def test_the_migrations_are_numbered_and_have_one_head() -> None:
    scripts = ScriptDirectory.from_config(migrate.configuration())
    assert len(scripts.get_heads()) == 1
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert sorted(revisions) == [f"{n:04}" for n in range(1, len(revisions) + 1)]
    for script in scripts.walk_revisions():
        assert re.fullmatch(rf"{script.revision}_[a-z0-9_]+", script.module.__name__.rpartition(".")[2])


def test_a_migrated_database_is_at_the_newest_revision_and_an_empty_one_at_none(database: Database) -> None:
    assert revisions.current(database) == revisions.head()
    migrate.downgrade(database, "base")
    assert revisions.current(database) is None


def test_the_schema_made_by_the_migrations_is_the_one_the_models_describe(database: Database) -> None:
    with database.reading() as session:
        options = {"compare_type": True, "include_object": described}
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, metadata) == []


def test_every_revision_goes_up_and_down_with_data_in_the_tables(database: Database) -> None:
    with database.transaction() as session:
        make_article(session, slug="an-article")
        make_subscriber(session, Tokens((b"k" * 32,)), "ada@example.org")
        make_mailing(session, 5, clock.now())
    migrate.downgrade(database, "base")
    with database.reading() as session:
        assert set(inspect(session.connection()).get_table_names()) <= {"alembic_version"}
    assert migrate.upgrade(database) == (None, revisions.head())
    with database.reading() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_the_tallies_begin_with_what_the_code_of_before_has_done_and_go_on_with_what_it_does(
    database: Database,
) -> None:
    """A mailing half-way, one of before numbers were kept, and one whose planning is not through."""
    with database.transaction() as session:
        half, uncounted, begun = (make_mailing(session, 9, clock.now()) for _ in range(3))
        session.execute(update(Mailing).where(Mailing.id.in_([uncounted, begun])).values(recipients=None))
        session.execute(update(Mailing).where(Mailing.id == begun).values(state=MailingState.PLANNING))
    migrate.downgrade(database, "0015")
    _move(database, half, ["accepted", "claimed", "deferred", "bounced", "skipped"])
    _move(database, uncounted, ["uncertain", "accepted"])
    _move(database, begun, ["skipped"])
    migrate.upgrade(database)
    for mailing in (half, uncounted, begun):
        _move(database, mailing, ["failed", "bounced", "planned", "accepted"])
        with database.transaction() as session:
            balance.complete(session, mailing, 9)
            assert balance.differences(session, mailing) == []


def _move(database: Database, mailing: int, states: list[str]) -> None:
    """Have the first deliveries stand there, by statements that know of no tallies."""
    with database.transaction() as session:
        rows = session.scalars(
            select(Delivery.id).where(Delivery.mailing_id == mailing).order_by(Delivery.id)
        )
        for number, state in zip(rows.all(), states, strict=False):
            session.execute(
                text("UPDATE deliveries SET state = :state WHERE id = :number"),
                {"number": number, "state": state},
            )


def test_the_database_itself_refuses_to_rewrite_the_record_of_consent(database: Database) -> None:
    with database.transaction() as session:
        person = make_subscriber(session, Tokens((b"k" * 32,)), "ada@example.org")
        consent.record(session, person.id, Event.REQUESTED, Method.FORM, Origin("192.0.2.0/24"), clock.now())
    with pytest.raises(DatabaseError, match="append-only"), database.transaction() as session:
        session.scalars(select(ConsentEvent)).first().event = "confirmed"  # type: ignore[union-attr]
