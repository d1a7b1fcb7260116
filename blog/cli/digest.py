"""`blog digest`: issues, and the exact account of each."""

from dataclasses import asdict
from datetime import UTC, datetime

import click
from flask.cli import AppGroup

from blog import clock
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import balance
from blog.digests import dispatch
from blog.errors import BlogError
from blog.subscribers.models import Cadence


@click.group("digest", cls=AppGroup)
def group() -> None:
    """Plan issues and follow them."""


@group.command("run", with_appcontext=False)
@click.option(
    "--cadence",
    type=click.Choice([cadence.value for cadence in Cadence]),
    required=True,
    help="Whose turn it is.",
)
@click.option(
    "--at", "at", metavar="ISO-8601", help="As of this moment instead of now, such as 2026-11-27T09:00+01:00."
)
@json_option
def run(cadence: str, at: str | None, as_json: bool) -> None:
    """Plan and open an issue for everybody of a cadence who has something new.

    The worker sends it. Running it again mails nobody twice.
    """
    services = open_services()
    office = dispatch.Office(services.database, services.settings, services.links, services.site())
    opened = dispatch.run(office, Cadence(cadence), clock.now(), _moment(at))
    if as_json:
        print_json({"issue": opened.issue, "eligible": opened.eligible, "variants": opened.variants})
    elif opened.issue is None:
        click.echo("Nothing new for anybody: no issue was opened.")
    else:
        click.echo(f"Issue {opened.issue} is open for {opened.eligible}, in {opened.variants} variants.")


@group.command("status", with_appcontext=False)
@click.argument("issue", type=int)
@json_option
def status(issue: int, as_json: bool) -> None:
    """Print the balance of ISSUE: every eligible recipient is in exactly one place."""
    services = open_services()
    with services.database.reading() as session:
        found = balance.balance(session, issue)
        unknown = balance.uncertain(session, issue)
    if found is None:
        raise BlogError(f"there is no issue {issue}")
    if as_json:
        print_json(asdict(found))
        return
    click.echo(f"Issue {issue}: {found.state}")
    for name in ("eligible", "accepted", "skipped", "bounced", "failed", "uncertain", "pending"):
        click.echo(f"  {name:<10}{getattr(found, name):>9}")
    for address, message_id in unknown:
        click.echo(f"  uncertain: {address} {message_id}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text!r} is no ISO 8601 time; use 2026-11-27T09:00+01:00") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
