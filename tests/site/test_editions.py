"""Which edition is the present one: asking costs next to nothing until something has happened."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from blog import clock
from blog.articles.models import ContentVersion
from blog.db import Database
from blog.errors import Busy
from blog.settings import Settings
from blog.site.editions import Reader
from tests.factories import make_article
from tests.statements import statements


@pytest.fixture
def reader(database: Database, settings: Settings) -> Reader:
    with database.transaction() as session:
        session.add(ContentVersion(id=1, version=1, related_to=1, synced_at=clock.now()))
    return Reader(database, settings.content_dir, [])


def test_a_file_that_nobody_has_written_to_is_not_read_again(reader: Reader, database: Database) -> None:
    state = reader(None)
    with statements(database.read_engine) as asked:
        assert reader(state) is state
    assert (asked == []) is database.is_sqlite


def test_whatever_changes_an_edition_is_seen_after_nothing_has_for_long(
    reader: Reader, database: Database, settings: Settings
) -> None:
    states = [reader(None)]

    def look() -> None:
        states.append(reader(states[-1]))
        assert reader(states[-1]) is states[-1]
        assert reader(states[-2]) == states[-1]

    with database.transaction() as session:
        session.execute(update(ContentVersion).values(version=2))
    look()
    site = settings.content_dir / "site.toml"
    site.write_text(site.read_text() + "\n# another\n" if site.exists() else 'name = "Another"\n')
    look()
    with database.transaction() as session:
        make_article(session, slug="later", published_at=clock.now() + timedelta(hours=1))
        session.execute(update(ContentVersion).values(version=3))
    look()
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        look()
    assert len(set(states)) == len(states)


def test_a_change_that_could_not_be_read_is_read_at_the_next_asking(
    reader: Reader, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = reader(None)
    with database.transaction() as session:
        session.execute(update(ContentVersion).values(version=2))

    def held() -> None:
        raise Busy("held")

    with monkeypatch.context() as patched:
        patched.setattr(database, "_reading", held)
        with pytest.raises(Busy):
            reader(state)
    assert reader(state) != state
