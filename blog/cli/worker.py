"""`blog worker`: background work."""

import click

from blog import create_app, logs
from blog import worker as door
from blog.cli.opening import open_services


@click.command("worker")
@click.option("--until-idle", is_flag=True, help="Work until nothing is due, then exit (for cron and tests).")
def worker(until_idle: bool) -> None:
    """Send mail and run the digests' schedules; a process of its own."""
    logs.configure()
    services = open_services()
    app = create_app(services.settings)
    if until_idle:
        door.until_idle(app, services)
    else:
        door.forever(app, services)
