"""`blog bounces`: bounces and complaints by hand, from files or from the mailbox."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from blog import clock
from blog.bounces import intake, mailbox, sources
from blog.bounces.reports import Door, Tally
from blog.cli.opening import json_option, open_services, print_json
from blog.errors import UsageError


@click.group("bounces")
def group() -> None:
    """Take in mail that came back: bounces and complaints."""


@group.command("ingest")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@json_option
def ingest(paths: tuple[Path, ...], as_json: bool) -> None:
    """Take in the bounces and complaints at PATH.

    Each PATH is one message, an mbox, a maildir, a folder of .eml files, or - for standard input. Taking the
    same message in twice changes nothing, nor does one that does not prove which mail of ours it is about.
    """
    services, tally = open_services(), Tally()
    for raw in _messages(paths):
        intake.take_mail(services.database, services.tokens, raw, Door.COMMAND, clock.now(), tally)
    if as_json:
        print_json(asdict(tally))
    else:
        click.echo(told(tally))


@group.command("poll")
@json_option
def poll(as_json: bool) -> None:
    """Fetch the mailbox that BLOG_BOUNCE_MAILBOX names, once.

    The worker does so every minute.
    """
    services = open_services()
    if not services.settings.bounce_mailbox:
        raise UsageError("BLOG_BOUNCE_MAILBOX: missing; for example: imaps://bounces@imap.example.org/INBOX")
    office = mailbox.Office(services.database, services.tokens, clock.now())
    tally = mailbox.poll(services.settings, office)
    if as_json:
        print_json(asdict(tally))
    else:
        click.echo(told(tally))


def told(tally: Tally) -> str:
    """Return what became of messages, as a person reads it."""
    lines = [f"{tally.messages} messages read, {tally.applied} reports taken in."]
    lines += [f"  {number} {_WORDS[kind]}" for kind, number in sorted(tally.kinds.items())]
    for number, words in (
        (tally.repeated, "were known already"),
        (tally.unknown, "prove nothing about a mail of ours, and changed nothing"),
        (tally.later, "are about mail that is being handed over just now: take them in once more"),
        (tally.no_report, "are neither a bounce nor a complaint"),
    ):
        if number:
            lines.append(f"  {number} {words}")
    return "\n".join(lines)


def _messages(paths: tuple[Path, ...]) -> Iterator[bytes]:
    for path in paths:
        yield from sources.of_stream(sys.stdin.buffer) if str(path) == "-" else sources.messages(path)


_WORDS = {
    "left": "readers who left by mail",
    "hard": "hard bounces: no such mailbox, so nothing is sent there any more",
    "full": "mailboxes that are full",
    "soft": "mailboxes that could not be reached",
    "unsure": "bounces without a reason",
    "ours": "refused for what the mail is or where it comes from: see the log and `blog why`",
    "complaint": "complaints: nothing is sent to these people any more",
}
