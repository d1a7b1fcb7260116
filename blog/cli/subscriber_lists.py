"""`blog subscribers import` and `export`: whole lists, in and out."""

import csv
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import click

from blog import clock
from blog.cli import progress
from blog.cli.opening import json_option, open_services, print_json
from blog.delivery import addresses
from blog.errors import BlogError, UsageError
from blog.subscribers import directory, exporting, importing, peers, privacy
from blog.subscribers.admission import Fate, Source
from blog.subscribers.importing import ImportResult, Reading
from blog.subscribers.peers import Peer, Row
from blog.web.pieces import Services

#: A person's whole record is one cell; the usual limit is 128 KB.
LARGEST_CELL = 10_000_000

SAID = {
    Fate.ADDED: "new readers",
    Fate.UPDATED: "were asked to confirm here, and become readers by this",
    Fate.TIGHTENED: "are not to be mailed there, and from now on not here",
    Fate.REFUSED: "stay out: they have left here, or never confirmed there",
    Fate.UNCHANGED: "as they are here already, listed twice, or without the tag",
}

NEEDS_EVIDENCE = "an import needs --confirmed and --evidence TEXT: who agreed, where and when"


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--confirmed", is_flag=True, help="Everybody in the file has confirmed already; required.")
@click.option("--evidence", default="", help="Where and when they did; kept in the record of consent.")
@click.option(
    "--format",
    "name",
    type=click.Choice([peer.name for peer in peers.PEERS]),
    help="What program wrote the file; by default its header line tells.",
)
@click.option("--tag", "tags", multiple=True, help="Let in only readers with this tag; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and store nothing.")
@json_option
def import_command(
    file: Path,
    confirmed: bool,
    evidence: str,
    name: str | None,
    tags: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import a CSV FILE of people who opted in elsewhere.

    Lists of Mailchimp, Substack, Ghost, Buttondown and listmonk are known by their header lines, and so is
    what `export` writes. Any other needs a column email and may have cadence, topics, timezone, confirmed_at
    and status. An import can only tighten: it never brings back somebody who has left, and who left, bounced
    or complained there is not mailed here either.
    """
    if not dry_run and not (confirmed and evidence.strip()):
        raise click.UsageError(NEEDS_EVIDENCE)
    services = open_services()
    total, found = looked_through(file)
    peer = peers.named(name) if name else found
    only = frozenset(tag.casefold() for tag in tags)
    reading = Reading(services.tokens, services.site(), peer, clock.now(), only)
    take_over(services, reading, file, total, Source(peer.name, evidence.strip()), dry_run)
    if as_json:
        print_json({"format": peer.name, "dry_run": dry_run, **asdict(reading.result)})
        return
    _tell(file, reading.result, peer, dry_run)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=False)
@click.option("--person", help="Everything stored about the person with this address, as JSON.")
def export_command(file: Path | None, person: str | None) -> None:
    """Write all subscribers as CSV, or one person as JSON.

    Into FILE; by default to standard output. The list loses nothing and can be imported again. Whoever was
    erased is in it as a keyed hash alone.
    """
    services = open_services()
    if file is None:
        _write(services, sys.stdout, person)
        return
    # Addresses are nobody else's business: only the owner of the file may read it.
    unfinished = file.with_name(f".{file.name}.unfinished")
    descriptor = os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        _write(services, stream, person)
    unfinished.replace(file)


def looked_through(file: Path) -> tuple[int, Peer]:
    """Read the whole file once, so that nothing is stored of one that cannot be read; count its rows."""
    reader = _reader(file)
    columns = next(reader)[1]
    found = peers.recognise(columns)
    if found is None:
        raise UsageError(f"{file}:1: there is no column named email")
    return sum(1 for _ in reader), found


def _reader(file: Path) -> Iterator[tuple[int, Row]]:
    """Yield the header, then each row with the number of its line."""
    csv.field_size_limit(LARGEST_CELL)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
            stream.seek(0)
            reader = csv.DictReader(stream, delimiter=max(",;\t", key=header.count), restkey="")
            yield 1, dict.fromkeys(reader.fieldnames or [], "")
            for row in reader:
                yield reader.line_num, {name: value or "" for name, value in row.items() if name}
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except csv.Error as error:
        raise UsageError(f"{file}: not a CSV file: {error}") from None


def take_over(
    services: Services, reading: Reading, file: Path, total: int, source: Source, dry_run: bool
) -> None:
    """Store the list batch by batch, so that sign-ups get their turn; what was cut off is run again."""
    lines = _reader(file)
    next(lines)
    done = 0
    with progress.bar("Importing") as told:
        for people in reading.batches(lines):
            with services.database.transaction() as session, session.begin_nested() as work:
                importing.store(session, reading, people, source)
                if dry_run:
                    work.rollback()
            done += len(people)
            if told:
                told(done, total)


def _tell(file: Path, result: ImportResult, peer: Peer, dry_run: bool) -> None:
    for line, reason in result.problems:
        click.echo(f"{file}:{line}: {reason}", err=True)
    if dry_run:
        click.echo(f"A list as {peer.name} writes it. Nothing is stored; this is what would be:")
        counts = asdict(result) | {Fate.UNCHANGED: result.skipped - result.refused}
        for fate in Fate:
            click.echo(f"{counts[fate]:>9}  {SAID[fate]}")
            for email in result.samples.get(fate, []):
                click.echo(f"{'':>11}{email}")
    bad = len(result.problems)
    click.echo(
        f"{result.added} added, {result.updated} updated, {result.tightened} tightened, "
        f"{result.skipped} skipped ({result.refused} of them stay out), {bad} bad."
    )


def _write(services: Services, stream: TextIO, person: str | None) -> None:
    if person is not None:
        stream.write(_person(services, person))
        return
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(exporting.COLUMNS)
    writer.writerows(exporting.rows(services.database))


def _person(services: Services, email: str) -> str:
    try:
        address = addresses.parse(email)
    except addresses.BadAddress as error:
        raise UsageError(str(error)) from None
    with services.database.reading() as session:
        found = directory.by_key(session, address.key)
        if found is None:
            raise BlogError("nobody with this address is known here")
        return json.dumps(privacy.export(session, found), ensure_ascii=False, indent=2) + "\n"
