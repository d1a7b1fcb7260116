"""`blog digest status`: where every recipient of an issue is, how fast it goes, when it will be through."""

import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from blog import clock
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import balance, holding, pace, stopping
from blog.delivery.models import MailingState
from blog.delivery.states import Progress
from blog.errors import BlogError, NoSuchIssue, UsageError
from blog.web.pieces import Services

PLACES = {
    "accepted": "the relay has taken it",
    "skipped": "left, suppressed or cancelled before it was sent",
    "bounced": "the relay said that there is no such mailbox",
    "failed": "the relay refused the message, or it could not be made",
    "uncertain": "nobody can know whether the relay took it; named below",
    "pending": "still to be sent",
}
BAR = 40
LOOK_SECONDS = 1.0


@click.command("status")
@click.argument("issue", type=int)
@click.option(
    "--watch", "watching", is_flag=True, help="Show it as it changes, until nothing moves any more."
)
@click.option("--recount", is_flag=True, help="Count every row as well; exit 1 if the balance differs.")
@json_option
def status(issue: int, watching: bool, recount: bool, as_json: bool) -> None:
    """Print the balance of ISSUE.

    Every eligible recipient is in exactly one place.
    """
    if watching and recount:
        raise UsageError("--recount counts once: leave --watch out")
    services = open_services()
    if watching:
        watch(services, issue)
        return
    with services.database.reading() as session:
        found = balance.progress(session, issue, clock.now())
        unknown = balance.uncertain(session, issue) if found and found.balance.uncertain else []
        refusal = stopping.reason(session, issue)
        back = holding.of(session, issue, pace.limits(services.settings), clock.now())
        wrong = balance.differences(session, issue) if found and recount else []
    if found is None:
        raise NoSuchIssue(issue)
    if wrong:
        raise BlogError(f"issue {issue} does not balance: {'; '.join(wrong)}; compare with a backup")
    if as_json:
        print_json(asdict(found.balance) | speed(found) | ({"held_back": back} if back else {}))
        return
    click.echo(described(issue, found))
    if refusal:
        click.echo(f"  stopped, since the relay refuses us: {refusal}")
        click.echo(f"  mend that (blog doctor helps), then go on with: blog digest resume {issue}")
    for line in back:
        click.echo(f"  {line}")
    if recount:
        click.echo(f"  recounted: {found.balance.eligible:,} rows, and they say the same")
    for address, message_id in unknown:
        click.echo(f"  uncertain: {address} {message_id}")


def watch(services: Services, issue: int) -> None:
    """Show how an issue is sent until nothing of it moves any more; on a terminal in place, else by lines."""
    console = Console()
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            _follow(services, issue, lambda text: live.update(Text(text), refresh=True))
        return
    _follow(services, issue, lambda text: click.echo(text.split("\n", 1)[0]))


def _follow(services: Services, issue: int, show: Any) -> None:
    last = ""
    while True:
        began = time.monotonic()
        with services.database.reading() as session:
            found = balance.progress(session, issue, clock.now())
        if found is None:
            raise NoSuchIssue(issue)
        text = described(issue, found)
        if text != last:
            show(text)
        last = text
        if found.balance.state != MailingState.SENDING:
            return
        # Looking costs a tenth of the time at most.
        time.sleep(max(LOOK_SECONDS, 10 * (time.monotonic() - began)))


def described(issue: int, found: Progress) -> str:
    """Return the state, the pace and the balance of an issue in words; the first line says it all."""
    account = found.balance
    settled = account.eligible - account.pending
    share = settled / account.eligible if account.eligible else 1.0
    how_far = f"{settled:,} of {account.eligible:,} settled ({share:.0%})"
    lines = [f"Issue {issue}: {account.state}, {how_far}{_pace(found)}"]
    if account.state == MailingState.SENDING:
        lines.append(f"  [{'#' * round(share * BAR):<{BAR}}]")
    lines.append(
        f"  {'eligible':<10}{account.eligible:>9,}  everybody it was planned for, which is the sum of:"
    )
    lines += [f"  {name:<10}{getattr(account, name):>9,}  {meaning}" for name, meaning in PLACES.items()]
    if found.later and found.next_try_at:
        at = found.next_try_at.strftime("%H:%M UTC")
        or_more = " or more" if found.later == balance.MOST else ""
        lines.append(
            f"  {found.later:,}{or_more} of the pending wait for their time; for the next that is {at}"
        )
    return "\n".join(lines)


def speed(found: Progress) -> dict[str, Any]:
    """Return what JSON says of the pace, while there is one."""
    if found.balance.state != MailingState.SENDING:
        return {}
    left = found.seconds_left
    return {"per_second": round(found.per_second, 1), "seconds_left": None if left is None else round(left)}


def _pace(found: Progress) -> str:
    if found.balance.state != MailingState.SENDING:
        return ""
    if found.balance.pending and not found.due:
        return ", the rest waits for its time"
    if found.seconds_left is None:
        return ", waiting for a worker or the relay" if found.balance.pending else ""
    left = timedelta(seconds=round(found.seconds_left))
    return f", {found.per_second:,.0f} a second, about {left} left"
