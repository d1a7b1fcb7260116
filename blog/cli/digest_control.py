"""`blog digest approve|pause|resume|cancel|settle`: a hand on the lever while a worker sends."""

import click

from blog import clock
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import addresses, balance, control
from blog.delivery.events import Event
from blog.digests import review
from blog.errors import UsageError
from blog.web.pieces import Services

SETTLING = {"hold": Event.HELD, "resend": Event.RESENT, "accepted": Event.SETTLED}


@click.command("approve")
@click.argument("issue", type=int)
@click.option("--first", type=click.IntRange(1), help="Send it to so many only, then pause by itself.")
@json_option
def approve(issue: int, first: int | None, as_json: bool) -> None:
    """Let a planned ISSUE go: its mail leaves and its page appears."""
    services = open_services()
    with services.database.transaction() as session:
        review.approve(session, issue, clock.now(), first)
    said = "is approved; the worker sends it."
    if first:
        said = f"goes to the first {first}, then it pauses. To the rest: blog digest resume {issue}."
    _tell(services, issue, as_json, said)


@click.command("pause")
@click.argument("issue", type=int)
@json_option
def pause(issue: int, as_json: bool) -> None:
    """Stop sending ISSUE at once.

    What is on the wire is finished; nothing more leaves.
    """
    _move(issue, Event.PAUSED, as_json, f"is paused. Go on with: blog digest resume {issue}")


@click.command("resume")
@click.argument("issue", type=int)
@json_option
def resume(issue: int, as_json: bool) -> None:
    """Go on sending a paused ISSUE to everybody who has not had it."""
    _move(issue, Event.RESUMED, as_json, "goes on; nobody who has had it gets it again.")


@click.command("cancel")
@click.argument("issue", type=int)
@json_option
def cancel(issue: int, as_json: bool) -> None:
    """Stop ISSUE for good: whoever has not had it is skipped.

    The next issue then brings them what this one would have.
    """
    services = open_services()
    with services.database.transaction() as session:
        control.move(session, issue, Event.CANCELLED, clock.now())
    more = True
    while more:
        with services.database.transaction() as session:
            more = control.drop_the_rest(session, clock.now())
    said = "is cancelled. Those it did not reach get its articles with the next issue of their cadence."
    _tell(services, issue, as_json, said)


@click.command("settle")
@click.argument("issue", type=int)
@click.argument("emails", nargs=-1, metavar="[EMAIL]...")
@click.option(
    "--hold", "how", flag_value="hold", help="Leave them as they are, and note that you have looked."
)
@click.option("--resend", "how", flag_value="resend", help="Send once more, with the same Message-ID.")
@click.option(
    "--accepted", "how", flag_value="accepted", help="The relay's log shows that it has taken them."
)
@json_option
def settle(issue: int, emails: tuple[str, ...], how: str | None, as_json: bool) -> None:
    """Settle the uncertain deliveries of ISSUE.

    All, or those to the addresses given. Of an uncertain delivery nobody knows whether the relay took it: the
    connection or the process died between the last byte and the answer.
    """
    if how is None:
        raise UsageError("say how: --hold, --resend or --accepted")
    services = open_services()
    with services.database.transaction() as session:
        control.state_of(session, issue)
        found = control.uncertain_ids(session, issue, [_wire(email) for email in emails])
        control.settle(session, issue, SETTLING[how], found, clock.now())
    done = {"hold": "held", "resend": "to be sent once more", "accepted": "taken as accepted"}[how]
    _tell(services, issue, as_json, f"had {len(found)} uncertain; now {done}.", settled=len(found))


COMMANDS = (approve, pause, resume, cancel, settle)


def _move(issue: int, event: Event, as_json: bool, said: str) -> None:
    services = open_services()
    with services.database.transaction() as session:
        control.move(session, issue, event, clock.now())
    _tell(services, issue, as_json, said)


def _tell(services: Services, issue: int, as_json: bool, said: str, **more: int) -> None:
    with services.database.reading() as session:
        found = balance.balance(session, issue)
    assert found is not None
    if as_json:
        print_json({"issue": issue, "state": found.state, "pending": found.pending, **more})
    else:
        click.echo(f"Issue {issue} {said} {found.accepted} accepted, {found.pending} pending.")


def _wire(email: str) -> str:
    try:
        return addresses.parse(email).wire
    except addresses.BadAddress:
        raise UsageError(f"{email!r} is no e-mail address") from None
