"""The embedded worker: a process that repeats every task by itself, with no broker and no scheduler."""

import signal
import threading
from collections.abc import Callable

import structlog
from flask import Flask

from blog import clock
from blog.delivery import outbox
from blog.delivery.sender import Report
from blog.delivery.slots import slot
from blog.errors import BlogError
from blog.web.pieces import Services
from blog.worker.tasks import (
    ANNOUNCE_SECONDS,
    COLLECT_SECONDS,
    IDLE_SECONDS,
    PATIENCE,
    RECOVER_SECONDS,
    SCHEDULE_SECONDS,
    TIDY_SECONDS,
    Work,
    slots_of,
)

log = structlog.get_logger(__name__)


def until_idle(app: Flask, services: Services) -> None:
    """Work until nothing is due; raise `BlogError` if the relay cannot be worked with."""
    stop = stop_on_signal()
    with slot(slots_of(services)) as owner:
        work = Work(app, services, owner)
        work.look_back()
        work.recover()
        with services.database.transaction() as session:
            outbox.try_again_now(session, clock.now())
        work.tidy()
        tasks = (work.schedule, work.announce, lambda: _collect_all(stop, work))
        problem = next(filter(None, [_problem(task) for task in tasks]), None)
        while not stop.is_set() and work.mail():
            pass
        trouble = work.send(stop, PATIENCE).trouble
    if trouble:
        raise BlogError(
            f"the mail relay cannot be worked with: {trouble}; nothing is lost, run the worker again"
        )
    if problem:
        raise problem


def _collect_all(stop: threading.Event, work: Work) -> None:
    while work.collect() and not stop.is_set():
        pass


def forever(app: Flask, services: Services) -> None:
    """Work until told to stop; what is being handed over is finished and recorded first."""
    stop = stop_on_signal()
    with slot(slots_of(services)) as owner:
        work = Work(app, services, owner)
        work.look_back()
        log.info("worker.started", slot=owner.slot)
        threads = [
            threading.Thread(target=repeat, args=(stop, task, pause), name=name, daemon=True)
            for name, task, pause in (
                ("outbox", work.mail, IDLE_SECONDS),
                ("schedule", lambda: _timed(work.schedule), SCHEDULE_SECONDS),
                ("recover", lambda: _timed(work.recover), RECOVER_SECONDS),
                ("tidy", lambda: _timed(work.tidy), TIDY_SECONDS),
                ("announce", lambda: _timed(work.announce), ANNOUNCE_SECONDS),
                ("collect", work.collect, COLLECT_SECONDS),
            )
        ]
        for thread in threads:
            thread.start()
        repeat(stop, lambda: _any(work.send(stop)), IDLE_SECONDS)
        for thread in threads:
            thread.join(timeout=5)
        log.info("worker.stopped", slot=owner.slot)


def repeat(stop: threading.Event, task: Callable[[], bool], pause: float) -> None:
    """Run a task until told to stop, with a pause when it found nothing; an error is logged, never fatal."""
    while not stop.is_set():
        try:
            busy = task()
        except Exception as error:  # noqa: BLE001 - a task that fails must not end the worker
            log.error("worker.task_failed", task=threading.current_thread().name, error=brief(error))
            busy = False
        if not busy:
            stop.wait(pause)


def _timed(task: Callable[[], None]) -> bool:
    task()
    return False


def _problem(task: Callable[[], None]) -> BlogError | None:
    """Run a task; return what a person has to mend, so that the other tasks go on first."""
    try:
        task()
    except BlogError as error:
        return error
    return None


def _any(report: Report) -> bool:
    return bool(report.results)


def brief(error: Exception) -> str:
    """Return what a log may say of an error: our own words, or its kind; others may quote an address."""
    return str(error) if isinstance(error, BlogError) else type(error).__name__


def stop_on_signal() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; a second signal ends the process at once."""
    stop = threading.Event()

    def handle(_signal: int, _frame: object) -> None:
        if stop.is_set():
            raise SystemExit(130)
        stop.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)
    return stop
