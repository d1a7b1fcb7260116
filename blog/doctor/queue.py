"""The broker that Celery's workers hear hints by: whether it is there, and whether it can be of use."""

from blog import broker
from blog.doctor.findings import Finding, good, warning, wrong
from blog.settings import Settings


def check(settings: Settings) -> Finding:
    """Say whether the broker answers, and what it is."""
    if not settings.broker_url:
        return good("broker", "none is set, and none is needed: the worker is embedded")
    try:
        kind = broker.reach(settings)
    except broker.Unreachable as error:
        why = "Celery's workers hear of nothing; mail waits in the database, and nothing is lost"
        mend = "start it, or mend BLOG_BROKER_URL; meanwhile run: blog worker"
        return wrong("broker", str(error), why, mend)
    if settings.sqlalchemy_url.startswith("sqlite"):
        why = "SQLite is a file of one host, so workers elsewhere see another database"
        return warning("broker", f"{kind} answers", why, "set BLOG_DATABASE_URL to PostgreSQL for more hosts")
    return good("broker", f"{kind} answers at {broker.shown(settings)}")
