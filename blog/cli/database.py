"""`blog db`: the database's schema, and its move to another database."""

import time
from pathlib import Path

import click

from blog import clock, migrate, revisions, transfer
from blog.articles import search_texts
from blog.backup import keeping, snapshots
from blog.cli.opening import json_option, open_services, print_json
from blog.cli.progress import bar
from blog.db import Database
from blog.errors import BlogError, UsageError
from blog.settings import load_settings
from blog.web.pieces import Services


@click.group("db")
def group() -> None:
    """Look after the database."""


@group.command("upgrade")
@click.option("--no-snapshot", is_flag=True, help="Make no backup first.")
@json_option
def upgrade(no_snapshot: bool, as_json: bool) -> None:
    """Bring the database to this version's schema.

    It is safe to repeat, and while the site is served. What is in it is backed up first, and the backup is
    proven; the last three are kept.
    """
    services = open_services(ready=False)
    snapshot = None if no_snapshot else _snapshot(services)
    if snapshot and not as_json:
        click.echo(f"Snapshot: {snapshot}")
    before, after = migrate.upgrade(services.database)
    _catch_up(services.database)
    if as_json:
        print_json({"before": before, "after": after, "snapshot": snapshot})
        return
    if before == after:
        click.echo(f"The database is at {after}.")
        return
    click.echo(f"Upgraded from {before or 'empty'} to {after}.")
    if snapshot:
        click.echo(
            "To go back: install the version of before; it works with this schema too. To take back what"
        )
        click.echo(f"was stored since, as well: stop everything, then blog restore --replace {snapshot}")


def _catch_up(database: Database) -> None:
    """Make what search reads of the articles, where this version or its schema knows nothing of it yet.

    Without it the search of an upgraded site would find nothing until the next sync. A few hundred at a
    time, so that nobody who wants to store something waits for all of them.
    """
    made = search_texts.BATCH
    while made == search_texts.BATCH:
        with database.transaction() as session:
            made = search_texts.refresh(session, most=search_texts.BATCH)


def _snapshot(services: Services) -> Path | None:
    if not revisions.is_behind(revisions.current(services.database)):
        return None
    return snapshots.take(services.settings, services.database, clock.now())


@group.command("move")
@click.argument("source")
@json_option
def move(source: str, as_json: bool) -> None:
    """Copy everything from SOURCE into an empty database.

    That is the one which BLOG_DATABASE_URL names. SOURCE is the URL of the database you come from, or the
    path of a SQLite file; it is left as it is. A password need not be in the URL: PGPASSWORD and ~/.pgpass
    are heeded. Stop the web server and the workers.
    """
    started = time.monotonic()
    services = open_services(ready=False)
    old, new = _source(source), services.database
    click.get_current_context().call_on_close(old.dispose)
    if old.url == new.url:
        raise UsageError("both are the same database; set BLOG_DATABASE_URL to the new one")
    keeping.refuse_workers(services.settings.var_dir / "slots")
    if revisions.current(old) != revisions.head():
        raise BlogError("the old database is not at this version's schema; run blog db upgrade with it first")
    if revisions.current(new) not in (None, revisions.head()):
        raise UsageError("the new database is in use at another schema; name an empty one")
    migrate.upgrade(new)
    with bar("Copying") as told:
        sums = transfer.move(old, new, told)
    seconds = time.monotonic() - started
    if as_json:
        print_json(_described(old, new, sums, seconds))
        return
    rows = sum(found.rows for found in sums.values())
    people = sums["subscribers"].rows
    click.echo(f"{rows:,} rows copied and compared, {people:,} of them subscribers, in {seconds:.1f} s.")
    click.echo("Start the web server and the workers with the new BLOG_DATABASE_URL; keep the secret key.")
    click.echo("The old database is as it was; let nothing work with it any more.")


def _source(given: str) -> Database:
    """Open the database to come from; one that is not there must not be made by looking at it."""
    url = given if "://" in given else f"sqlite:///{given}"
    settings = load_settings(database_url=url)
    path = settings.sqlalchemy_url.removeprefix("sqlite:///")
    if path != settings.sqlalchemy_url and not Path(path).is_file():
        raise UsageError(f"there is no database {path}")
    return Database(settings.sqlalchemy_url)


def _described(
    old: Database, new: Database, sums: dict[str, transfer.Sum], seconds: float
) -> dict[str, object]:
    return {
        "from": old.url.render_as_string(),
        "to": new.url.render_as_string(),
        "rows": sum(found.rows for found in sums.values()),
        "seconds": round(seconds, 3),
        "tables": {name: {"rows": found.rows, "digest": str(found)} for name, found in sums.items()},
    }
