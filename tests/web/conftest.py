"""The application over an empty database."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog import create_app
from blog.db import Database
from blog.settings import Settings


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application; nothing is published."""
    app = create_app(settings)
    yield app
    app.extensions["blog"].database.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader with no cookies, at the site's own address."""
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_HOST"] = "news.example.org"
    return client
