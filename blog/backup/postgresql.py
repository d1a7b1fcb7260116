"""PostgreSQL: dumped by its own program, in the very snapshot in which the rows are counted."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from blog.backup.archive import Damaged
from blog.errors import BlogError

SCRATCH = "blog_restore_"
#: What of a URL PostgreSQL's programs read, and under which name.
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def dump(url: URL, target: Path) -> tuple[str, dict[str, int]]:
    """Dump a database that is in use; return its revision and the rows of each table as dumped."""
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
            found = _examine(connection)
            arguments = [f"--snapshot={snapshot}", f"--file={target}"]
            _run("pg_dump", ["--format=custom", "--no-owner", "--schema=public", *arguments], url)
    finally:
        engine.dispose()
    return found


def rehearse(data: Path, url: URL) -> tuple[str, dict[str, int]]:
    """Restore a dump into a database made for this and dropped again; return what is in it then."""
    name = f"{SCRATCH}{uuid4().hex[:12]}"
    _outside(url, f"CREATE DATABASE {name}")
    scratch = url.set(database=name)
    try:
        restore(data, scratch)
        engine = create_engine(scratch)
        with engine.connect() as connection:
            found = _examine(connection)
        engine.dispose()
        return found
    finally:
        _outside(url, f"DROP DATABASE {name}")


def restore(data: Path, url: URL) -> None:
    """Restore a dump into an empty schema, all of it or nothing."""
    listed = _run("pg_restore", ["--list", str(data)], url).splitlines(keepends=True)
    wanted = data.with_name(f"{data.name}.list")
    # Whether the dump makes the schema depends on whose it was; we always have it already.
    wanted.write_text("".join(line for line in listed if " SCHEMA - public " not in line))
    options = ["--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={url.database}"]
    _run("pg_restore", [*options, f"--use-list={wanted}", str(data)], url)


def put_back(data: Path, url: URL, kept: str) -> None:
    """Restore a dump in the place of what is there, which is kept as the schema `kept`.

    Dropping what the dump holds would leave the tables of a newer version behind, in the way of an upgrade.
    """
    _in_one(url, f'ALTER SCHEMA public RENAME TO "{kept}"', "CREATE SCHEMA public")
    try:
        restore(data, url)
    except BlogError:
        _in_one(url, "DROP SCHEMA public CASCADE", f'ALTER SCHEMA "{kept}" RENAME TO public')
        raise


def _examine(connection: Connection) -> tuple[str, dict[str, int]]:
    names = connection.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
    ).all()
    rows = {name: int(connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0) for name in names}  # noqa: S608
    if "alembic_version" not in rows:
        raise Damaged("there are no tables of ours in the database")
    return str(connection.scalar(text("SELECT version_num FROM alembic_version"))), rows


def _run(program: str, arguments: Sequence[str], url: URL) -> str:
    where = shutil.which(program)
    if where is None:
        raise BlogError(f"the program {program} is needed: install PostgreSQL's client (postgresql-client)")
    done = subprocess.run(
        [where, *arguments], env=_environment(url), capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[:300]
        raise BlogError(f"{program} could not do it: {said}")
    return done.stdout


def _environment(url: URL) -> Mapping[str, str]:
    """Return how PostgreSQL's programs reach the database: a password has no place on a command line."""
    # As the driver would be told, which takes several hosts of one database apart as well.
    _, said = url.get_dialect()().create_connect_args(url)
    return {**os.environ, **{VARIABLES[name]: str(said[name]) for name in VARIABLES.keys() & said.keys()}}


def _outside(url: URL, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
        raise BlogError(
            f"to prove a backup, a database is made and dropped again, and that failed: {cause}; "
            "give the user CREATEDB, or name another server with BLOG_DATABASE_URL"
        ) from None
    finally:
        engine.dispose()


def _in_one(url: URL, *statements: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
        raise BlogError(
            f"what is in the database could not be put aside: {cause}; its user must own the database"
        ) from None
    finally:
        engine.dispose()
