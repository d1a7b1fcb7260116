"""The worker door: every background task and how often it runs; a process of its own."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

import structlog
from flask import Flask
from sqlalchemy.orm import Session

from blog import clock
from blog.articles import reading
from blog.bounces import mailbox
from blog.delivery import ledger, outbox, pace, quality, signing, verp, witness
from blog.delivery.models import DeliveryState
from blog.delivery.sender import Report, Sending, send_due
from blog.delivery.slots import slot
from blog.delivery.smtp import Relay, Security
from blog.delivery.states import Owner, Policy
from blog.delivery.witness import Witness
from blog.digests import dispatch
from blog.errors import BlogError
from blog.site import websub
from blog.subscribers import emails, lifecycle, moving, retention, shield
from blog.subscribers.welcome import Teaser
from blog.web.pieces import Services

#: How many times in a row a relay may fail before `--until-idle` gives up; about three seconds.
PATIENCE = 6
IDLE_SECONDS = 0.5
RECOVER_SECONDS = 60.0
SCHEDULE_SECONDS = 10.0
TIDY_SECONDS = 3600.0
ANNOUNCE_SECONDS = 60.0
COLLECT_SECONDS = 60.0
LATEST = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Work:
    """The tasks of one worker, bound to its services and its slot."""

    app: Flask
    services: Services
    owner: Owner

    def look_back(self) -> None:
        """Raise `Restored` if the database is older than what was sent from here."""
        sent = witness.last_sent(slots_of(self.services))
        with self.services.database.reading() as session:
            witness.refuse_restored(session, sent)

    def recover(self) -> None:
        """Settle what dead workers left behind."""
        database, policy = self.services.database, Policy(self.services.settings.uncertain_policy)
        with database.transaction() as session:
            returned, unknown = ledger.recover(session, self.owner, policy, clock.now())
            outbox.recover(session, self.owner, clock.now())
            lifecycle.follow(session, clock.now())
        if returned or unknown:
            log.info("worker.recovered", given_back=returned, uncertain=unknown)

    def schedule(self) -> None:
        """Plan the digests that are due."""
        services = self.services
        site = services.site()
        office = dispatch.Office(services.database, services.settings, services.links, site)
        for opened in dispatch.run_due(office, clock.now()):
            if opened.issue:
                event = "digest.waits_for_approval" if opened.in_review else "digest.opened"
                log.info(event, issue=opened.issue, eligible=opened.eligible)

    def tidy(self) -> None:
        """Remind once, then forget, the addresses that were never confirmed; forget what moved away."""
        domain, now = parseaddr(self.services.settings.sender)[1].rpartition("@")[2], clock.now()
        with self.services.database.transaction() as session:
            reminded = retention.remind(session, domain, now)
            forgotten = retention.forget_unconfirmed(session, now)
            moving.forget_old(session, now)
            shield.forget_old(session, now)
        if forgotten or reminded:
            log.info("subscribers.tidied", reminded=reminded, forgotten=forgotten)

    def announce(self) -> None:
        """Tell the hub, if there is one, about feeds with news."""
        websub.announce(self.services, clock.now())

    def collect(self) -> bool:
        """Fetch what has come back from the mailbox, if one is set; return whether there may be more."""
        settings = self.services.settings
        if not settings.bounce_mailbox:
            return False
        office = mailbox.Office(self.services.database, self.services.tokens, clock.now())
        tally = mailbox.poll(settings, office)
        if tally.messages:
            log.info("bounces.collected", messages=tally.messages, applied=tally.applied, later=tally.later)
        return tally.messages >= mailbox.AT_ONCE and not tally.later

    def mail(self) -> bool:
        """Send one single mail; return whether there was one."""
        self.look_back()
        services = self.services
        site = services.site()
        render = emails.renderer(services.settings, services.tokens, services.links, site, self._latest)
        tagged = verp.returning(render, return_path(services))
        with self.app.app_context():
            return outbox.run_once(services.database, tagged, self.owner, clock.now)

    def _latest(self, session: Session) -> list[Teaser]:
        links = self.services.links
        found = reading.latest(session, clock.now(), LATEST)
        return [Teaser(a.title, links.article(a.slug), a.description or a.excerpt, a.language) for a in found]

    def send(self, stop: threading.Event, patience: int | None = None) -> Report:
        """Send the deliveries that are due, and close the mailings that are done."""
        report = send_due(self._sending(), stop, patience)
        with self.services.database.transaction() as session:
            for mailing in ledger.finish(session, clock.now()):
                log.info("digest.done", issue=mailing)
            if report.results.get(DeliveryState.BOUNCED):
                lifecycle.follow(session, clock.now())
        return report

    def _sending(self) -> Sending:
        settings = self.services.settings
        return Sending(
            database=self.services.database,
            owner=self.owner,
            relay=relay_of(self.services),
            connections=settings.smtp_connections,
            policy=Policy(settings.uncertain_policy),
            personalise=dispatch.personalise(self.services.tokens),
            clock=clock.now,
            returns=return_path(self.services),
            sign=signing.signer(signing.ordered(settings)),
            notes=Witness(slots_of(self.services), self.owner),
            limits=pace.limits(settings),
            bars=quality.bars(settings),
        )


def return_path(services: Services) -> verp.ReturnPath:
    """Return what names each mail, so that a bounce or a complaint says which one it is about."""
    return verp.ReturnPath(services.tokens, services.settings.bounce_address)


def slots_of(services: Services) -> Path:
    """Return the folder of this host's workers' slots."""
    return services.settings.var_dir / "slots"


def after_restore(services: Services) -> list[int]:
    """Take a restored database for the truth, with everything that is being sent paused; return that."""
    with services.database.transaction() as session:
        paused = witness.pause_everything(session, clock.now())
    witness.forget(slots_of(services))
    return paused


def relay_of(services: Services) -> Relay:
    """Return the relay the settings name; it hears the domain of the sender, never this host's name."""
    settings = services.settings
    security = (
        Security.TLS
        if settings.mail_use_ssl
        else Security.STARTTLS
        if settings.mail_use_tls
        else Security.NONE
    )
    return Relay(
        host=settings.mail_server,
        port=settings.mail_port,
        hello=parseaddr(settings.sender)[1].rpartition("@")[2],
        security=security,
        username=settings.mail_username,
        password=settings.mail_password.get_secret_value(),
        timeout=settings.mail_timeout,
    )


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
            threading.Thread(target=_repeat, args=(stop, task, pause), name=name, daemon=True)
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
        _repeat(stop, lambda: _any(work.send(stop)), IDLE_SECONDS)
        for thread in threads:
            thread.join(timeout=5)
        log.info("worker.stopped", slot=owner.slot)


def _repeat(stop: threading.Event, task: Callable[[], bool], pause: float) -> None:
    """Run a task until told to stop, with a pause when it found nothing; an error is logged, never fatal."""
    while not stop.is_set():
        try:
            busy = task()
        except Exception as error:  # noqa: BLE001 - a task that fails must not end the worker
            log.error("worker.task_failed", task=threading.current_thread().name, error=_brief(error))
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


def _brief(error: Exception) -> str:
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
