"""The application over an empty database."""

from collections.abc import Iterator

import pytest
from flask import Flask

from blog import create_app
from blog.db import Database
from blog.settings import Settings


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application; nothing is published."""
    app = create_app(settings)
    yield app
    app.extensions["blog"].database.dispose()
