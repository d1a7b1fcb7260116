"""`blog subscribers`: who asked for mail, and the record of it."""

from collections.abc import Iterator
from typing import Any

import click

from blog import clock
from blog.cli import subscriber_lists
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import addresses
from blog.errors import BlogError, UsageError
from blog.subscribers import privacy, report
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import Status


@click.group("subscribers")
def group() -> None:
    """Look at subscribers, bring lists in and out, or erase somebody."""


@group.command("list")
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


@group.command("show")
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
    click.echo("\n".join(_described(found)))


@group.command("erase")
@click.argument("email")
@json_option
def erase(email: str, as_json: bool) -> None:
    """Erase everything about one person.

    Only a keyed hash stays, so that the address is never mailed.
    """
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


group.add_command(subscriber_lists.import_command)
group.add_command(subscriber_lists.export_command)


def _described(found: dict[str, Any]) -> Iterator[str]:
    topics = ", ".join(found["topics"]) or "all topics"
    paused = f", paused until {found['paused_until']}" if found["paused_until"] else ""
    yield f"{found['email']}: {found['status']}, {found['cadence'] or 'no cadence'}, {topics}{paused}"
    if found["suppressed"]:
        yield f"  not mailed since {found['suppressed']['since']}: {found['suppressed']['reason']}"
    yield from _told(found["consent"], "  ")


def _told(events: list[dict[str, Any]], margin: str) -> Iterator[str]:
    """Yield a line for each event; a record that came along with an import stands below it."""
    for event in events:
        details = dict(event.get("details") or {})
        earlier = details.pop("record", [])
        origin = [f"from {event['network']}"] if event.get("network") else []
        shown = [f"shown {event['wording']}"] if event.get("wording") else []
        said = [f"{name}: {_brief(value)}" for name, value in details.items()]
        aside = "; ".join([str(event.get("method")), *origin, *shown, *said])
        yield f"{margin}{event.get('at')}  {event.get('event')} ({aside})"
        yield from _told(earlier, margin + "  | ")


def _brief(value: object) -> str:
    return ", ".join(map(str, value)) or "all" if isinstance(value, list) else str(value)
