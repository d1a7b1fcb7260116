"""`/metrics`: what an operator's Prometheus asks for; numbers and states alone, no address, no title.

The one to alert on is `blog_oldest_due_seconds`: it grows when nobody sends, whatever the cause.
"""

import hmac
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog import clock
from blog.articles.models import ContentVersion
from blog.delivery import backlog, balance, holding
from blog.delivery.models import IS_TO_BE_SENT, Mailing, MailingState, OutboxMail
from blog.digests.models import ScheduleRun
from blog.settings import Settings
from blog.web import guards
from blog.web.context import services
from blog.web.page_cache import PageCache

#: Counting who waits for an open issue reads an index of them: however often we are asked, not more often.
KEPT_SECONDS = 15.0
_OPEN = (MailingState.PLANNED, MailingState.SENDING, MailingState.PAUSED)

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@guards.by_bearer
def metrics() -> Response:
    """Answer who has the token; without one set, only a site that is on this machine answers."""
    if not _allowed(services().settings):
        abort(404)
    registry = CollectorRegistry()
    registry.register(_Stored())
    registry.register(_Kept(current_app.extensions["page_cache"]))
    response = Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


def _allowed(settings: Settings) -> bool:
    token = settings.metrics_token.get_secret_value()
    if not token:
        return settings.is_local
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    return hmac.compare_digest(given, token.encode())


class _Stored:
    """What the database tells, the same on every host."""

    _lock = threading.Lock()
    _made: tuple[float, str, list[Metric]] = (0.0, "", [])

    def collect(self) -> list[Metric]:
        built = services()
        where = str(built.database.url)
        with self._lock:
            made, of, found = _Stored._made
            if of != where or time.monotonic() - made > KEPT_SECONDS:
                with built.database.reading() as session:
                    found = list(_stored(session, clock.now()))
                _Stored._made = (time.monotonic(), where, found)
        return found


def _stored(session: Session, now: datetime) -> Iterator[Metric]:
    oldest = backlog.oldest_due(session, now)
    waiting = (now - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("blog_oldest_due_seconds", "How long the mail waits that is due longest", waiting)
    due = select(func.count()).select_from(OutboxMail).where(IS_TO_BE_SENT)
    yield GaugeMetricFamily("blog_outbox_waiting", "Single mails that are to be sent", session.scalar(due))
    counted: Counter[str] = Counter()
    for issue in session.scalars(select(Mailing.id).where(Mailing.state.in_(_OPEN))).all():
        counted.update(balance.states(session, issue))
    present = [(state, number) for state, number in counted.items() if number]
    yield _by("blog_deliveries", "Deliveries of issues that are not done", "state", present)
    mailings = select(Mailing.state, func.count()).group_by(Mailing.state)
    yield _by("blog_mailings", "Issues by where they stand", "state", session.execute(mailings).all())
    held = holding.gauges(session, now).items()
    yield _by("blog_held_back", "Domains and issues that are held back, by why", "why", held)
    ran = select(ScheduleRun.cadence, func.max(ScheduleRun.ran_at)).group_by(ScheduleRun.cadence)
    runs = [(cadence, at.timestamp()) for cadence, at in session.execute(ran)]
    yield _by("blog_last_run_timestamp_seconds", "When a cadence was planned last", "cadence", runs)
    synced = session.scalar(select(ContentVersion.synced_at))
    if synced:
        age = (now - synced).total_seconds()
        yield GaugeMetricFamily("blog_sync_age_seconds", "Since a sync found something new", age)


class _Kept:
    """What this process's memory of pages does; each process counts for itself."""

    def __init__(self, pages: PageCache) -> None:
        self._pages = pages

    def collect(self) -> Iterator[Metric]:
        for name, words, number in (
            ("blog_page_cache_hits", "Pages answered from memory", self._pages.hits),
            ("blog_page_cache_misses", "Requests that were not", self._pages.misses),
        ):
            family = CounterMetricFamily(name, words, labels=["process"])
            family.add_metric([str(os.getpid())], number)
            yield family


def _by(name: str, words: str, label: str, values: object) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, number in values:  # type: ignore[attr-defined]
        family.add_metric([str(key)], number)
    return family
