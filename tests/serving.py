"""An application over real HTTP on a loopback port, and a visitor who asks it without a network."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from blog import clock, create_app
from blog.articles.publishing import publish
from blog.settings import load_settings
from blog.web.pieces import Services

SECRET = "a-secret-for-pages-only-0123456789abcdef"


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve a WSGI application until the block ends; yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def published(folder: Path, database_file: Path, content: Path) -> Iterator[Flask]:
    """Make a publication of a content folder, in a migrated SQLite file, until the block ends."""
    settings = load_settings(
        database_url=f"sqlite:///{database_file}",
        content_dir=content,
        var_dir=folder,
        secret_key=SECRET,
        postal_address="Example Ltd, 1 High Street, Exampletown",
    )
    app = create_app(settings)
    services: Services = app.extensions["blog"]
    publish(services.database, content, clock.now)
    yield app
    services.database.dispose()


def visitor(app: Flask) -> FlaskClient:
    """Return somebody without cookies, at the site's own address and from a network of their own."""
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_HOST"] = "news.example.org"
    client.environ_base["REMOTE_ADDR"] = "203.0.113.77"
    return client
