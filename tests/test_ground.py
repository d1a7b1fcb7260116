"""The ground: settings, the database and tokens."""

from blog.db import Database
from blog import migrate


def test_a_new_database_is_at_the_newest_revision(database: Database) -> None:
    assert migrate.current(database) == migrate.head()
