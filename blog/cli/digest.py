"""`blog digest`: issues, from the plan to the exact account of each."""

from dataclasses import asdict
from datetime import datetime

import click

from blog import clock
from blog.cli import digest_before, digest_control, digest_correct, digest_list, digest_status
from blog.cli.digest_options import at_option, cadences
from blog.cli.opening import json_option, open_services, print_json
from blog.digests import dispatch
from blog.subscribers.models import Cadence


@click.group("digest")
def group() -> None:
    """Plan issues, send them, and follow them."""


cadence_option = click.option(
    "--cadence",
    type=click.Choice(cadences()),
    required=True,
    help="Whose turn it is.",
)


@group.command("run")
@cadence_option
@at_option
@click.option("--watch", is_flag=True, help="Show how the worker sends it, until it is done.")
@json_option
def run(cadence: str, at: datetime | None, watch: bool, as_json: bool) -> None:
    """Plan and open an issue for all to whom something is new.

    Those are the readers of a cadence. The worker sends it. Running it again mails nobody twice.
    """
    opened = _planned(cadence, at, as_json, review=False)
    if watch and opened.issue is not None:
        digest_status.watch(open_services(), opened.issue)


@group.command("plan")
@cadence_option
@at_option
@json_option
def plan(cadence: str, at: datetime | None, as_json: bool) -> None:
    """Plan an issue and let it wait for `blog digest approve`.

    Nothing is sent, and nobody sees it. Its text and its recipients are fixed now; who leaves before it is
    approved gets nothing.
    """
    _planned(cadence, at, as_json, review=True)


def _planned(cadence: str, at: datetime | None, as_json: bool, review: bool) -> dispatch.Opened:
    services = open_services()
    office = dispatch.Office(services.database, services.settings, services.links, services.site())
    opened = dispatch.run(office, Cadence(cadence), clock.now(), at, review=review)
    variants = f"{opened.variants} variant{'' if opened.variants == 1 else 's'}"
    if as_json:
        report = asdict(opened)
        report.pop("in_review")
        print_json(report)
    elif opened.issue is None:
        click.echo("Nothing new for anybody: no issue was opened.")
    elif review:
        click.echo(
            f"Issue {opened.issue} is planned for {opened.eligible}, in {variants}. "
            f"Nothing is sent until you say: blog digest approve {opened.issue}"
        )
    else:
        click.echo(f"Issue {opened.issue} is open for {opened.eligible}, in {variants}.")
    return opened


for command in (
    *digest_before.COMMANDS,
    *digest_control.COMMANDS,
    digest_list.list_command,
    digest_correct.correct,
    digest_status.status,
):
    group.add_command(command)
