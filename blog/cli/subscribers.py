"""`blog subscribers`: who asked for mail, and the record of it."""

import csv
from pathlib import Path

import click
from flask.cli import AppGroup

from blog import clock
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import addresses
from blog.errors import BlogError, UsageError
from blog.subscribers import importing, privacy, report
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Status


@click.group("subscribers", cls=AppGroup)
def group() -> None:
    """Look at subscribers, bring in a list that was opted in elsewhere, or erase somebody."""


@group.command("list", with_appcontext=False)
@click.option(
    "--status", type=click.Choice([status.value for status in Status]), help="Only those in this state."
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@json_option
def list_command(status: str | None, limit: int, as_json: bool) -> None:
    """List subscribers, oldest first."""
    services = open_services()
    with services.database.reading() as session:
        rows = report.listing(session, status, limit, after_id=0)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['status']:<13}{row['cadence']:<9}{row['email']}")
    if not rows:
        click.echo("Nobody yet.")


@group.command("show", with_appcontext=False)
@click.argument("email")
@json_option
def show(email: str, as_json: bool) -> None:
    """Show one subscriber and the whole record of consent."""
    services = open_services()
    with services.database.reading() as session:
        found = report.report(session, services.tokens, email)
    if found is None:
        raise BlogError("nobody with this address is known here")
    if as_json:
        print_json(found)
        return
    topics = ", ".join(found["topics"]) or "all topics"
    paused = f", paused until {found['paused_until']}" if found["paused_until"] else ""
    click.echo(f"{found['email']}: {found['status']}, {found['cadence'] or 'no cadence'}, {topics}{paused}")
    for event in found["consent"]:
        click.echo(f"  {event['at']}  {event['event']} ({event['method']})")


@group.command("erase", with_appcontext=False)
@click.argument("email")
@json_option
def erase(email: str, as_json: bool) -> None:
    """Erase everything about one person; only a keyed hash stays, so that the address is never mailed."""
    services = open_services()
    try:
        address = addresses.parse(email)
    except addresses.BadAddress as error:
        raise UsageError(str(error)) from None
    act = Act(Method.OPERATOR, Origin(""), clock.now())
    with services.database.transaction() as session:
        known = privacy.erase_address(session, services.tokens, address, act)
    if as_json:
        print_json({"erased": known, "suppressed": True})
        return
    click.echo(
        "Erased. The address will never be mailed again."
        if known
        else "Nobody with this address was known here. It will never be mailed from now on."
    )


@group.command("import", with_appcontext=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--confirmed", is_flag=True, help="Everybody in the file has confirmed already; required.")
@click.option("--evidence", default="", help="Where and when they did; kept in the record of consent.")
@json_option
def import_command(file: Path, confirmed: bool, evidence: str, as_json: bool) -> None:
    """Import a CSV FILE of people who opted in elsewhere.

    Columns: email, and if present cadence, topics, timezone, confirmed_at. An import never brings back
    somebody who has left.
    """
    if not confirmed or not evidence.strip():
        raise click.UsageError("an import needs --confirmed and --evidence TEXT: who agreed, where and when")
    services = open_services()
    rows = _rows(file)
    site = services.site()
    with services.database.transaction() as session:
        result = importing.import_rows(session, services.tokens, site, rows, evidence.strip(), clock.now())
    if as_json:
        print_json(vars(result))
        return
    for line, reason in result.problems:
        click.echo(f"{file}:{line}: {reason}", err=True)
    bad = len(result.problems)
    click.echo(f"{result.added} added, {result.updated} updated, {result.skipped} skipped, {bad} bad.")


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if "email" not in [name.strip().lower() for name in reader.fieldnames or []]:
                raise UsageError(f"{file}:1: there is no column named email")
            return [_tidy(row) for row in reader]
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except csv.Error as error:
        raise UsageError(f"{file}: not a CSV file: {error}") from None


def _tidy(row: dict[str, str | None]) -> dict[str, str]:
    return {name.strip().lower(): value or "" for name, value in row.items() if isinstance(name, str)}
