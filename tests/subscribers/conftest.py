"""A small publication, and the pieces that this room's functions are handed."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog import create_app
from blog.content.values import Site, Topic
from blog.db import Database
from blog.settings import Settings
from blog.tokens import Tokens
from blog.web.pieces import Services
from tests.serving import visitor

SITE = """
name = "Signal & System"
tagline = "Notes on building systems."
timezone = "Europe/Berlin"

[[topics]]
slug = "systems"
name = "Systems"

[[topics]]
slug = "security"
name = "Security"

[digests.daily]
enabled = false
"""


@pytest.fixture
def site() -> Site:
    """The same publication as a value."""
    return Site(
        name="Signal & System",
        tagline="Notes on building systems.",
        timezone="Europe/Berlin",
        topics=(Topic("systems", "Systems"), Topic("security", "Security")),
        digests={"daily": {"enabled": False}},
    )


@pytest.fixture
def tokens(services: Services) -> Tokens:
    """What makes and reads links."""
    return services.tokens


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application over the publication; `database` and it look at the same rows."""
    (settings.content_dir / "site.toml").write_text(SITE, encoding="utf-8")
    app = create_app(settings)
    yield app
    app.extensions["blog"].database.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who keeps no cookies, at the site's own address."""
    return visitor(app)
