"""`blog worker`: background work."""

import click
import structlog

from blog import create_app, logs
from blog.cli.opening import open_services
from blog.worker import embedded, tasks

BESIDE_CELERY = (
    "BLOG_BROKER_URL is set: `celery -A blog.worker worker` does this work; this one does it too, without it"
)


@click.command("worker")
@click.option("--until-idle", is_flag=True, help="Work until nothing is due, then exit (for cron and tests).")
@click.option(
    "--after-restore",
    is_flag=True,
    help="The database comes from a backup: pause every issue under way, and let workers go on.",
)
def worker(until_idle: bool, after_restore: bool) -> None:
    """Send mail and run the digests' schedules; a process of its own."""
    logs.configure()
    services = open_services()
    if after_restore:
        for issue in tasks.after_restore(services):
            click.echo(
                f"Issue {issue} is paused. Whoever was mailed after the backup was taken is mailed again by:"
            )
            click.echo(f"  blog digest resume {issue}  (or not: blog digest cancel {issue})")
        click.echo("Workers send again what is planned or comes from now on.")
        return
    if services.settings.broker_url:
        # Both claim the same rows, so running both is harmless; who meant Celery should know.
        structlog.get_logger(__name__).warning("worker.embedded", hint=BESIDE_CELERY)
    app = create_app(services.settings)
    if until_idle:
        embedded.until_idle(app, services)
    else:
        embedded.forever(app, services)
