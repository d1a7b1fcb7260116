"""The Celery application: `celery -A blog.worker worker` and, somewhere, `celery -A blog.worker beat`.

It calls the very functions that the embedded worker calls. A tick asks which kinds of work are due, takes
their turns in the database, and puts them into the queue; a hint from the web is one of them out of turn.
Each task ends after a slice of time and goes on in another, so that one worker does everything in turn.
"""

import importlib
import logging
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from celery import Celery, signals

from blog import broker, clock, logs, ticks
from blog.delivery.sender import Report
from blog.errors import SettingsError
from blog.settings import load_settings
from blog.worker import embedded
from blog.worker.place import Lifeline, Place, Slice, place
from blog.worker.tasks import (
    ANNOUNCE_SECONDS,
    COLLECT_SECONDS,
    IDLE_SECONDS,
    PATIENCE,
    RECOVER_SECONDS,
    SCHEDULE_SECONDS,
    TIDY_SECONDS,
)

#: How often each kind of work has its turn; sending has the next one as soon as somebody has begun, so that
#: one process after the other joins in, and no more than one message waits.
PERIODS = {
    broker.MAIL: broker.TICK_SECONDS,
    broker.SEND: 60.0,
    "blog.schedule": SCHEDULE_SECONDS,
    "blog.recover": RECOVER_SECONDS,
    "blog.announce": ANNOUNCE_SECONDS,
    "blog.collect": COLLECT_SECONDS,
    "blog.tidy": TIDY_SECONDS,
}
#: A relay that cannot be worked with is left alone for so long.
REST = timedelta(seconds=60)
NO_BROKER = "BLOG_BROKER_URL: missing; Celery needs redis://… or amqp://… (without one, run: blog worker)"

log = structlog.get_logger(__name__)
lifeline = Lifeline()


def _application() -> Celery:
    settings = load_settings()
    if not settings.broker_url:
        raise SettingsError([NO_BROKER])
    return broker.application(settings)


try:
    app = _application()
except SettingsError as error:
    sys.exit("\n".join(f"blog: {line}" for line in error.problems))
logs.configure()


def _task(name: str) -> Callable[[Callable[[Place], None]], Callable[[Place], None]]:
    """Have Celery call a function with this process's place; an error is one line, and another turn comes."""

    def register(function: Callable[[Place], None]) -> Callable[[Place], None]:
        def run() -> None:
            if lifeline.stop.is_set():
                return
            try:
                with lifeline.unharmed():
                    function(place())
            except Exception as error:  # noqa: BLE001 - Celery would log the values, and addresses among them
                log.error("worker.task_failed", task=name, error=embedded.brief(error))

        app.task(run, name=name)
        return function

    return register


@_task(broker.TICK)
def tick(here: Place) -> None:
    """Put into the queue whatever is due and nobody else has taken the turn of."""
    now = clock.now()
    with here.work.services.database.transaction(shown=False) as session:
        due = [name for name in PERIODS if ticks.claim(session, name, _period(name), now)]
    for name in due:
        broker.ask(app, name)


@_task(broker.MAIL)
def mail(here: Place) -> None:
    """Send the single mails that are due."""
    turn = Slice(lifeline.stop, broker.SLICE_SECONDS)
    while not turn.is_set() and here.work.mail():
        pass
    if turn.is_over:
        broker.ask(app, broker.MAIL)


@_task(broker.SEND)
def send(here: Place) -> None:
    """Send what is due of the issues; single mails go out meanwhile, lest they wait for all of it."""
    if not here.sending.acquire(blocking=False):
        return  # another thread of this process is at it
    try:
        report = _send(here)
    finally:
        here.sending.release()
    if report.trouble:
        with here.work.services.database.transaction(shown=False) as session:
            ticks.put_off(session, broker.SEND, clock.now() + REST)


def _send(here: Place) -> Report:
    with here.work.services.database.transaction(shown=False) as session:
        ticks.due_now(session, broker.SEND, clock.now())
    done = threading.Event()
    beside = threading.Thread(target=embedded.repeat, args=(done, here.work.mail, IDLE_SECONDS), name="mail")
    beside.start()
    try:
        return here.work.send(Slice(lifeline.stop, broker.SLICE_SECONDS), PATIENCE)
    finally:
        done.set()
        beside.join()


@_task("blog.schedule")
def schedule(here: Place) -> None:
    """Plan the digests that are due."""
    here.work.schedule()


@_task("blog.recover")
def recover(here: Place) -> None:
    """Settle what dead workers left behind."""
    here.work.recover()


@_task("blog.announce")
def announce(here: Place) -> None:
    """Tell the hub about feeds with news."""
    here.work.announce()


@_task("blog.collect")
def collect(here: Place) -> None:
    """Fetch what has come back."""
    turn = Slice(lifeline.stop, broker.SLICE_SECONDS)
    while here.work.collect() and not turn.is_set():
        pass


@_task("blog.tidy")
def tidy(here: Place) -> None:
    """Remind, and forget."""
    here.work.tidy()


def _begin(**_: object) -> None:
    """Be a process of the pool: take a slot at once, which settles what its last holder left."""
    lifeline.hold_on()
    try:
        place()
    except Exception as error:  # noqa: BLE001 - the database may be down; the first task tries again
        log.error("worker.task_failed", task="begin", error=embedded.brief(error))


def _load(**_: object) -> None:
    """Load what every process of the pool needs before they are forked, so that they share the memory."""
    importlib.import_module("blog.app")


def _ready(**_: object) -> None:
    """Begin at once: whoever had the last turn may be dead, and its lease not over."""
    for name in (broker.SEND, broker.MAIL, broker.TICK):
        broker.ask(app, name)


def _end(**_: object) -> None:
    lifeline.cut()


def _look(**_: object) -> None:
    """Say in one line if the broker is not there; Celery goes on trying."""
    try:
        broker.reach(load_settings())
    except broker.Unreachable as error:
        log.error("broker.unreachable", why=str(error), hint="mail waits in the database; trying again")


def _period(name: str) -> timedelta:
    return timedelta(seconds=PERIODS[name])


def _log(loglevel: int, **_: object) -> None:
    """Have Celery log as we do: it would write the whole trail of an error, over a hundred lines."""
    # Its warnings are for who writes code, as the one that a lost connection kills nothing.
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    logs.take_in(loglevel)


signals.setup_logging.connect(_log)
signals.worker_process_init.connect(_begin)
signals.worker_init.connect(_load)
signals.worker_ready.connect(_ready)
signals.worker_shutting_down.connect(_end)
signals.worker_init.connect(_look)
signals.beat_init.connect(_look)
