"""What fifty pages show is read in as many statements as what one shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from blog.app import create_app
from blog.articles.shown import Shown
from blog.db import Database
from blog.export import ahead
from blog.settings import Settings
from blog.web.pieces import Services
from tests.export.conftest import sync, write
from tests.statements import statements

SLUGS = [f"part-{number}" for number in range(30)]


@pytest.fixture
def services(content: Path, database: Database, settings: Settings) -> Iterator[Services]:
    for slug in SLUGS:
        write(content, slug, f"Loops and queues in {slug}.\n\n", "series: Loops\n")
    sync(database, content)
    found: Services = create_app(settings).extensions["blog"]
    yield found
    found.database.dispose()


def test_as_many_statements_are_sent_for_many_pages_as_for_one(services: Services) -> None:
    ahead.read(services, ["/articles/part-1"])
    with statements(services.database.read_engine) as one:
        ahead.read(services, ["/articles/part-1", "/sketches/part-1.svg"])
    with statements(services.database.read_engine) as many:
        read = ahead.read(services, [f"/articles/{s}" for s in SLUGS] + [f"/sketches/{s}.svg" for s in SLUGS])
    assert len(read) == 2 * len(SLUGS)
    assert len(one) == len(many) <= 12
    page = read["/articles/part-3"]
    assert isinstance(page, Shown)
    assert len(page.related) == 3
    assert page.place
    assert len(page.place.parts) == len(SLUGS)
    assert page.place.parts[page.place.number - 1].slug == "part-3"


def test_nothing_is_read_for_addresses_that_are_nobodys(services: Services) -> None:
    assert ahead.read(services, ["/articles/nobody", "/sketches/states/letter.svg", "/", "/archive"]) == {}
