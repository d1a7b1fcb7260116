"""`blog digest preview|test|rehearse`: look before anything is sent."""

from dataclasses import asdict
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path

import click

from blog import clock
from blog.articles import wording
from blog.cli.digest_options import at_option, cadences
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import signing, single, splice, suppression
from blog.delivery.addresses import BadAddress, parse
from blog.digests import dispatch, preview, rehearsal
from blog.digests.preview import Seen
from blog.digests.rehearsal import Rehearsal
from blog.errors import BlogError, UsageError
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from blog.worker.tasks import relay_of

issue_argument = click.argument("issue", type=int, required=False)
cadence_option = click.option(
    "--cadence", type=click.Choice(cadences()), help="The issue that would be next."
)
as_option = click.option("--as", "reader", metavar="EMAIL", help="As this subscriber gets it.")


@click.command("preview")
@issue_argument
@cadence_option
@at_option
@as_option
@click.option("--html", is_flag=True, help="Print the HTML part instead of the text.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead.")
def preview_command(
    issue: int | None,
    cadence: str | None,
    at: datetime | None,
    reader: str | None,
    html: bool,
    output: Path | None,
) -> None:
    """Print an issue as one subscriber gets it.

    It is ISSUE, or what one of --cadence would be. Nothing is sent or stored. Links of the reader's own do
    not work in it, so it may be passed on.
    """
    services = open_services()
    found = _seen(services, issue, cadence, at, reader, reader or "reader@example.org")
    part = found.html if html else f"Subject: {found.subject}\n\n{found.text}"
    if output is None:
        click.echo(part)
        return
    try:
        output.write_text(part, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"Written to {output}.")


@click.command("test")
@issue_argument
@cadence_option
@at_option
@as_option
@click.option("--to", required=True, metavar="EMAIL", help="Where the test goes.")
def test_command(
    issue: int | None, cadence: str | None, at: datetime | None, reader: str | None, to: str
) -> None:
    """Send an issue to one address, marked as a test.

    It is ISSUE, or what one of --cadence would be. It goes through the relay like any digest, now, and counts
    nowhere.
    """
    services = open_services()
    try:
        address = parse(to)
    except BadAddress as error:
        raise UsageError(f"{to!r}: {error}") from None
    with services.database.reading() as session:
        why = suppression.reason_for(session, services.tokens.address_hash(address.key))
    if why:
        raise BlogError(f"{to} is on the list of those never to be mailed ({why})")
    found = _seen(services, issue, cadence, at, reader, address.wire)
    sender = parseaddr(services.settings.sender)[1]
    raw, sign = preview.marked(found.raw), signing.signer(signing.ordered(services.settings))
    raw = sign(splice.unstuff_dots(raw)) + raw if sign else raw
    answer = single.hand_over(relay_of(services), sender, address.wire, raw)
    click.echo(f"Sent “[Test] {found.subject}” to {to}. The relay said: {answer}")


@click.command("rehearse")
@click.option("--cadence", type=click.Choice(cadences()), required=True, help="Whose turn it would be.")
@at_option
@json_option
def rehearse(cadence: str, at: datetime | None, as_json: bool) -> None:
    """Go through an issue on the real list, and send nothing.

    It is one of now or of a moment ahead. Nothing is stored either. Ends with 1 if something is in its way.
    """
    services = open_services()
    found = rehearsal.rehearse(_office(services), Cadence(cadence), at or clock.now())
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(told(found))
    if found.problems:
        raise click.exceptions.Exit(1)


COMMANDS = (preview_command, test_command, rehearse)


def told(found: Rehearsal) -> str:
    """Return a rehearsal as a person reads it."""
    lines = [f"{found.title}, as of {found.at:%Y-%m-%d %H:%M} UTC. Nothing has been sent or stored.", ""]
    lines += [f"NOT READY: {problem}" for problem in found.problems]
    readers = wording.count(found.eligible, "reader", "readers")
    variants = wording.count(found.variants, "variant", "variants")
    lines.append(f"{readers} in {variants}. Note: {found.note or 'none'}.")
    for place, one in enumerate(found.sketches, 1):
        more = f" and {one.more} more" if one.more else ""
        lines += [
            "",
            f"{place}. {one.readers:,} readers: “{one.subject}”",
            f"   holds {', '.join(one.articles)}{more}",
            f"   {one.html_octets:,} octets of HTML, {one.text_octets:,} of text",
            f"   for example {', '.join(one.samples)}",
        ]
    if found.since:
        last = found.since
        lines += ["", f"The last one, {last.title} (issue {last.issue}), was for {last.readers:,} readers."]
        lines += [f"   new since then: {', '.join(last.new) or 'nothing'}"]
        lines += [f"   in both, for those who had not had it: {', '.join(last.again)}"] if last.again else []
    return "\n".join(lines)


def _seen(
    services: Services,
    issue: int | None,
    cadence: str | None,
    at: datetime | None,
    reader: str | None,
    to: str,
) -> Seen:
    if issue is not None and cadence is None:
        with services.database.reading() as session:
            return preview.of_issue(session, issue, reader, to)
    if issue is None and cadence is not None:
        return preview.of_cadence(_office(services), Cadence(cadence), reader, at or clock.now(), to)
    raise UsageError("give the number of an issue, or --cadence for the one that would be next")


def _office(services: Services) -> dispatch.Office:
    return dispatch.Office(services.database, services.settings, services.links, services.site())
