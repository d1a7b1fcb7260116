"""`blog doctor`: what is not in order, why it matters, and how to mend it."""

from ipaddress import ip_address

import click

from blog import clock
from blog.cli.opening import json_option, open_services, print_json
from blog.doctor.examination import Asked, examine
from blog.doctor.findings import Finding, Verdict
from blog.doctor.zone import Zone

_COLOURS = {Verdict.GOOD: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "red", Verdict.SKIPPED: None}


@click.command("doctor")
@click.option(
    "--nameserver", default="", metavar="ADDRESS[:PORT]", help="Ask this name server, not the machine's."
)
@click.option(
    "--dkim-selector", "selectors", multiple=True, help="A selector that mail is signed under; repeatable."
)
@click.option("--outgoing", multiple=True, metavar="IP", help="Where mail leaves your relay; repeatable.")
@click.option("--public", is_flag=True, help="Examine the domain although the site is on this machine only.")
@json_option
@click.pass_context
def doctor(
    context: click.Context,
    nameserver: str,
    selectors: tuple[str, ...],
    outgoing: tuple[str, ...],
    public: bool,
    as_json: bool,
) -> None:
    """Examine the machine, the database, the relay, the sending domain and the live site.

    No mail is sent and nobody's subscription is touched. Exits with 1 when something is wrong; warnings do
    not count.
    """
    asked = _asked(nameserver, selectors, outgoing, public)
    services = open_services(ready=False)
    findings = []
    for finding in examine(
        services.settings, services.database, services.tokens, services.links, asked, clock.now()
    ):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json([finding.plain() for finding in findings])
    else:
        click.echo(_sum(findings))
    context.exit(1 if any(finding.verdict is Verdict.WRONG for finding in findings) else 0)


def _asked(nameserver: str, selectors: tuple[str, ...], outgoing: tuple[str, ...], public: bool) -> Asked:
    try:
        zone = Zone(nameserver)
    except ValueError as error:
        raise click.UsageError(f"--nameserver: {error}") from None
    try:
        addresses = [str(ip_address(address)) for address in outgoing]
    except ValueError as error:
        raise click.UsageError(f"--outgoing: {error}") from None
    return Asked(zone, selectors, addresses, public)


def _print(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:<8}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict} {finding.name}: {finding.found}")
    if finding.why:
        click.echo(f"         why:  {finding.why}")
        click.echo(f"         mend: {finding.mend}")


def _sum(findings: list[Finding]) -> str:
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count) + "."
