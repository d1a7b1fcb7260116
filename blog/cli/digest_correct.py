"""`blog digest correct`: mend an issue that is out, or on its way."""

import time
from dataclasses import asdict
from email.utils import parseaddr

import click

from blog import clock
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import replacing
from blog.digests import correction, dispatch
from blog.errors import UsageError

PATIENCE_SECONDS = 15.0


@click.command("correct")
@click.argument("issue", type=int)
@click.option(
    "--note", default="", metavar="TEXT", help="What was wrong, for the issue's page and the erratum."
)
@click.option("--erratum", is_flag=True, help="Also mail the note to exactly those who had the old text.")
@json_option
def correct(issue: int, note: str, erratum: bool, as_json: bool) -> None:
    """Correct ISSUE: it says what its articles say now.

    Mend the files and run `blog sync` first. Whoever has not had the issue gets the mended text; nobody gets
    it twice. The page shows both, the mended one first.
    """
    services = open_services()
    if not note.strip():
        raise UsageError('say what was wrong: --note "The figure for May was for June."')
    office = dispatch.Office(services.database, services.settings, services.links, services.site())
    done = correction.correct(office, issue, note.strip(), clock.now())
    if not as_json:
        click.echo(f"Issue {issue} is mended for {done.mended:,}; {done.had_the_old:,} had the old text.")
    told = _tell(office, issue) if erratum else None
    if as_json:
        print_json(asdict(done) | {"erratum": told})
    elif told:
        click.echo(f"They are told by mailing {told}; follow it with: blog digest status {told}")


def _tell(office: dispatch.Office, issue: int) -> int | None:
    _wait_for_the_last(office, issue)
    with office.database.reading() as session:
        if not replacing.any_had_the_old(session, issue):
            return None
    number = correction.begin_erratum(office, issue, clock.now())
    domain = parseaddr(office.settings.sender)[1].rpartition("@")[2]
    more = True
    while more:
        with office.database.transaction() as session:
            more = correction.plan_erratum(session, issue, number, domain, clock.now())
    return number


def _wait_for_the_last(office: dispatch.Office, issue: int) -> None:
    """Wait until what was on the wire with the old text has been answered, so that nobody is left out."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with office.database.reading() as session:
            if replacing.on_their_way(session, issue) == 0:
                return
        time.sleep(0.2)
