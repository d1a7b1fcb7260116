"""`blog db`: the database's schema."""

from pathlib import Path

import click

from blog import clock, migrate, revisions
from blog.backup import snapshots
from blog.cli.opening import json_option, open_services, print_json
from blog.web.pieces import Services


@click.group("db")
def group() -> None:
    """Look after the database."""


@group.command("upgrade")
@click.option("--no-snapshot", is_flag=True, help="Make no backup first.")
@json_option
def upgrade(no_snapshot: bool, as_json: bool) -> None:
    """Bring the database to this version's schema; safe to repeat, and while the site is served.

    What is in it is backed up first, and the backup is proven; the last three are kept.
    """
    services = open_services(ready=False)
    snapshot = None if no_snapshot else _snapshot(services)
    if snapshot and not as_json:
        click.echo(f"Snapshot: {snapshot}")
    before, after = migrate.upgrade(services.database)
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


def _snapshot(services: Services) -> Path | None:
    if not revisions.is_behind(revisions.current(services.database)):
        return None
    return snapshots.take(services.settings, services.database, clock.now())
