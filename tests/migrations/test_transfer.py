"""`blog db move`: all of one database in the other, proven, and nobody is mailed twice for it."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from blog import clock, migrate, transfer
from blog.db import Database
from blog.delivery import balance
from blog.delivery.models import Delivery, DeliveryState, Mailing, Variant
from blog.delivery.slots import slot
from blog.errors import BlogError, UsageError
from blog.schema import metadata
from blog.settings import Settings
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import ConsentEvent, Subscriber
from blog.tokens import Tokens
from tests.commanding import blog, blog_json, refused
from tests.factories import make_article, make_subscriber
from tests.mailings import make_mailing
from tests.migrations.test_side_by_side import _use
from tests.relay import relay

TOKENS = Tokens((b"k" * 32,))
HOSTILE = "a 'quoted' \\backslash\ttab\nnew line, ünï → 🦉, \\N, \\."


@pytest.fixture
def other(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of the other kind, migrated and empty."""
    if engine == "sqlite":
        kept = request.getfixturevalue("kept_postgresql")
        found = Database(kept.url)
        yield found
        found.dispose()
        kept.empty()
        return
    found = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate.upgrade(found)
    yield found
    found.dispose()


def fill(database: Database) -> None:
    """Leave at least a row in every table, and what is hard to carry."""
    _use(database, list(metadata.sorted_tables), 900)
    with database.transaction() as session:
        people = [make_subscriber(session, TOKENS, f"reader{n}@example.org") for n in range(30)]
        for person in people:
            consent.record(
                session, person.id, Event.REQUESTED, Method.FORM, Origin("192.0.2.0/24", HOSTILE), clock.now()
            )
        make_article(session, "hard", title=HOSTILE, html=HOSTILE, extra={"deep": [1, None, {"x": HOSTILE}]})
        make_mailing(session, 40, clock.now(), template=bytes(range(256)) * 50)


def rows(database: Database) -> dict[str, set[str]]:
    with database.reading() as session:
        return {
            table.name: {repr(tuple(row)) for row in session.execute(select(table))}
            for table in transfer.TABLES
        }


def test_every_row_of_every_table_arrives_as_it_was_in_either_direction(
    database: Database, other: Database, settings: Settings
) -> None:
    fill(other)
    before = rows(other)
    said = blog_json(settings, "db", "move", other.url.render_as_string(hide_password=False))
    assert rows(database) == before
    assert rows(other) == before, "the old one is left as it was"
    assert {name: table["rows"] for name, table in said["tables"].items()} == {
        name: len(found) for name, found in before.items()
    }
    assert min(len(found) for found in before.values()) > 0
    assert said["rows"] == sum(map(len, before.values()))


def test_the_account_of_a_mailing_half_way_is_as_exact_as_before(database: Database, other: Database) -> None:
    with other.transaction() as session:
        half, uncounted = make_mailing(session, 12, clock.now()), make_mailing(session, 12, clock.now())
        session.execute(update(Mailing).where(Mailing.id == uncounted).values(recipients=None))
        for number, state in enumerate(DeliveryState, start=1):
            session.execute(update(Delivery).where(Delivery.id % 12 == number).values(state=state))
    transfer.move(other, database)
    with database.transaction() as session:
        balance.count_earlier(session)
        for mailing in (half, uncounted):
            assert balance.differences(session, mailing) == []
            assert balance.states(session, mailing)[DeliveryState.SKIPPED] == 1


def test_what_comes_afterwards_is_numbered_on_and_found_by_the_search(
    database: Database, other: Database, settings: Settings
) -> None:
    fill(other)
    transfer.move(other, database)
    with database.transaction() as session:
        last = session.scalar(select(func.max(Subscriber.id))) or 0
        added = make_subscriber(session, TOKENS, "late@example.org")
        assert added.id == last + 1
        make_mailing(session, 2, clock.now())
        with pytest.raises(Exception, match="append-only"), session.begin_nested():
            session.scalars(select(ConsentEvent)).first().event = "x"  # type: ignore[union-attr]
            session.flush()
    found = "search_index MATCH '900'" if database.is_sqlite else "title = '900'"
    table = "search_index" if database.is_sqlite else "search_texts"
    with database.reading() as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table} WHERE {found}")) == 1


def test_a_database_with_somebody_in_it_is_not_moved_into(
    database: Database, other: Database, settings: Settings
) -> None:
    fill(other)
    with database.transaction() as session:
        make_subscriber(session, TOKENS, "here@example.org")
    assert "has rows already (in subscribers)" in refused(
        settings, "db", "move", other.url.render_as_string(hide_password=False)
    )
    with database.reading() as session:
        assert session.scalars(select(Subscriber.email)).all() == ["here@example.org"]


def test_what_the_new_database_will_not_take_leaves_it_as_empty_as_before(
    database: Database, other: Database
) -> None:
    fill(other)
    with database.transaction() as session:  # stands for whatever goes wrong in the last table of all
        table = transfer.TABLES[-1].name
        session.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
        session.execute(text(f"CREATE TABLE {table} AS SELECT * FROM {table}_away"))
        column = next(c.name for c in metadata.tables[table].columns if not c.primary_key)
        session.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    with pytest.raises((BlogError, UsageError), match=table):
        transfer.move(other, database)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 0


KILLED = """
import os, sys
from blog import transfer
from blog.db import Database
def tell(done, total):
    if done * 2 > total:
        os.kill(os.getpid(), 9)
transfer.move(Database(sys.argv[1]), Database(sys.argv[2]), tell)
"""


def test_a_move_that_is_killed_half_way_leaves_nothing_and_is_simply_done_again(
    database: Database, other: Database
) -> None:
    fill(other)
    urls = [each.url.render_as_string(hide_password=False) for each in (other, database)]
    done = subprocess.run([sys.executable, "-c", KILLED, *urls], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 0
    transfer.move(other, database)
    assert rows(database) == rows(other)


def test_a_row_that_reads_otherwise_than_it_was_written_is_noticed(
    database: Database, other: Database, engine: str
) -> None:
    fill(other)
    statement = (
        "CREATE TRIGGER bad AFTER INSERT ON variants BEGIN UPDATE variants SET key = 'other'; END"
        if engine == "sqlite"
        else "CREATE FUNCTION bad() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.key := 'other'; RETURN NEW; END $$; "
        "CREATE TRIGGER bad BEFORE INSERT ON variants FOR EACH ROW EXECUTE FUNCTION bad()"
    )
    with database.transaction() as session:
        session.connection().exec_driver_sql(statement)
    with pytest.raises(BlogError, match="variants does not read as it was written"):
        transfer.move(other, database)
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Variant)) == 0
        if engine == "postgresql":
            session.execute(text("DROP TRIGGER bad ON variants"))
            session.execute(text("DROP FUNCTION bad()"))


def test_wrong_use_is_one_line(
    database: Database, other: Database, settings: Settings, tmp_path: Path
) -> None:
    assert "there is no database" in refused(settings, "db", "move", str(tmp_path / "none.db"))
    assert not (tmp_path / "none.db").exists()
    assert "the same database" in refused(settings, "db", "move", settings.sqlalchemy_url)
    url = other.url.render_as_string(hide_password=False)
    with slot(settings.var_dir / "slots"):
        assert "a worker is running" in refused(settings, "db", "move", url)
    migrate.downgrade(other, "0005")
    other.dispose()
    assert "blog db upgrade" in refused(settings, "db", "move", url)


def test_an_issue_under_way_goes_on_in_the_new_database_and_nobody_gets_it_twice(
    database: Database, other: Database, settings: Settings
) -> None:
    old = settings.model_copy(update={"database_url": other.url.render_as_string(hide_password=False)})
    (settings.content_dir / "site.toml").write_text('name = "Signal & System"\n')
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    (settings.content_dir / "articles" / "one.md").write_text(
        f"---\ntitle: One\ndate: {yesterday}\n---\n\nWords.\n"
    )
    with relay() as server:
        port = {"mail_port": str(server.port)}
        blog(old, "sync")
        with other.transaction() as session:
            for cadence in ("daily", "weekly"):
                for number in range(6):
                    make_subscriber(
                        session, Tokens(old.key_ring), f"{cadence}{number}@example.org", cadence=cadence
                    )
        daily = blog_json(old, "digest", "run", "--cadence", "daily")["issue"]
        blog(old, "worker", "--until-idle", **port)
        weekly = blog_json(old, "digest", "run", "--cadence", "weekly")["issue"]
        assert len(server.messages) == 6
        before = [blog_json(old, "digest", "status", str(issue)) for issue in (daily, weekly)]

        said = blog(settings, "db", "move", old.sqlalchemy_url)
        assert "12 of them subscribers" in said

        assert [blog_json(settings, "digest", "status", str(issue)) for issue in (daily, weekly)] == before
        for cadence in ("daily", "weekly"):
            assert blog_json(settings, "digest", "run", "--cadence", cadence)["issue"] is None
        blog(settings, "worker", "--until-idle", **port)
        blog(settings, "worker", "--until-idle", **port)
        mailed = sorted(message.recipient for message in server.messages)
    assert mailed == sorted(f"{cadence}{n}@example.org" for cadence in ("daily", "weekly") for n in range(6))
    with database.reading() as session:
        assert set(session.scalars(select(Delivery.state))) == {"accepted"}
