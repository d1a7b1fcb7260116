"""`blog db`: the database's schema."""

import click

from blog import migrate
from blog.cli.opening import open_services


@click.group("db")
def group() -> None:
    """Look after the database."""


@group.command("upgrade")
def upgrade() -> None:
    """Bring the database to this version's schema; safe to repeat."""
    services = open_services(ready=False)
    before, after = migrate.upgrade(services.database)
    click.echo(
        f"The database is at {after}."
        if before == after
        else f"Upgraded from {before or 'empty'} to {after}."
    )
