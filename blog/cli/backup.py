"""`blog backup` and `blog restore`: what is only in the database, kept and brought back."""

from dataclasses import asdict
from pathlib import Path

import click

from blog import clock, revisions
from blog.backup import keeping
from blog.backup.archive import Manifest
from blog.cli.opening import json_option, open_services, print_json
from blog.errors import BlogError


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Write over FILE if it is there.")
@json_option
def backup(file: Path, force: bool, as_json: bool) -> None:
    """Write subscribers, issues and the record of consent to FILE, while all goes on.

    With them goes the secret, if blog made it; one that you set is yours to keep. Articles are files already.
    """
    if file.exists() and not force:
        raise BlogError(f"{file} is there already; choose another name, or add --force")
    services = open_services()
    manifest = keeping.make(services.settings, services.database, file, clock.now())
    if as_json:
        print_json(asdict(manifest))
        return
    click.echo(f"{file}: {_held(manifest)}, {file.stat().st_size:,} octets.")
    click.echo(f"Prove that it can be restored with: blog restore --verify {file}")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--verify", is_flag=True, help="Restore it where nobody sees it, compare, and change nothing.")
@click.option("--replace", is_flag=True, help="Put it in the place of the database that is there.")
@json_option
def restore(file: Path, verify: bool, replace: bool, as_json: bool) -> None:
    """Bring back a backup. Nothing is sent afterwards until you say so."""
    services = open_services(ready=False)
    if verify:
        manifest = keeping.verify(file, services.database)
    else:
        manifest = keeping.restore(services.settings, services.database, file, replace, clock.now())
    if as_json:
        print_json(asdict(manifest) | {"restored": not verify})
        return
    if verify:
        click.echo(f"{file} can be restored: {_held(manifest)}.")
        return
    click.echo(f"Restored {_held(manifest)}.")
    if revisions.is_behind(manifest.revision):
        click.echo("Its schema is older: run blog db upgrade")
    click.echo("Workers send nothing until you have looked: blog worker --after-restore")


def _held(manifest: Manifest) -> str:
    people = manifest.rows.get("subscribers", 0)
    return f"{manifest.total:,} rows, {people:,} of them subscribers, as of {manifest.made_at}"
