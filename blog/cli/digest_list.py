"""`blog digest list`: which issues there are, and where each stands."""

import click

from blog.cli.opening import json_option, open_services, print_json
from blog.digests import reading

LISTED = 20


@click.command("list")
@click.option("--limit", type=click.IntRange(1), default=LISTED, show_default=True, help="How many.")
@json_option
def list_command(limit: int, as_json: bool) -> None:
    """List the issues, newest first, those in review included."""
    with open_services().database.reading() as session:
        found = reading.standings(session, limit)
    if as_json:
        print_json([one._asdict() for one in found])
        return
    if not found:
        click.echo("There are no issues yet; blog digest run --cadence weekly makes the first.")
    for one in found:
        click.echo(f"{one.issue:>6}  {one.planned_at:%Y-%m-%d %H:%M} UTC  {one.state:<9}  {one.title}")
