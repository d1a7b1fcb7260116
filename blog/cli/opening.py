"""What commands share: the services over a database that is ready, and how results are printed."""

import json
from typing import Any

import click

from blog import revisions, runtime
from blog.errors import BlogError
from blog.settings import load_settings
from blog.web.pieces import Services


def open_services(ready: bool = True) -> Services:
    """Return the services; with `ready`, refuse a database that lacks what this code needs.

    The database is closed when the command ends.
    """
    services = runtime.build(load_settings())
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(services.database.dispose)
    if ready and revisions.is_behind(revisions.current(services.database)):
        raise BlogError("the database is not at this version's schema; run: blog db upgrade")
    return services


def print_json(value: Any) -> None:
    """Print a value as one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
