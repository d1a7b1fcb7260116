"""Every background task, as one function each: what the embedded loop and Celery both call."""

import threading
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

import structlog
from flask import Flask
from sqlalchemy.orm import Session

from blog import clock
from blog.articles import reading
from blog.bounces import mailbox
from blog.delivery import balance, ledger, outbox, pace, quality, signing, verp, witness
from blog.delivery.sender import Report, Sending, send_due
from blog.delivery.smtp import Relay, Security
from blog.delivery.states import Owner, Policy
from blog.delivery.witness import Witness
from blog.digests import covered, dispatch
from blog.site import websub
from blog.subscribers import emails, lifecycle, moving, retention, shield
from blog.subscribers.welcome import Teaser
from blog.web.pieces import Services

#: How many times in a row a relay may fail before it is left alone for a while; about three seconds.
PATIENCE = 6
#: How often each task looks whether there is something to do.
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
        if returned or unknown:
            log.info("worker.recovered", given_back=returned, uncertain=unknown)

    def schedule(self) -> None:
        """Plan the digests that are due, and put those away that are done."""
        services = self.services
        site = services.site()
        office = dispatch.Office(services.database, services.settings, services.links, site)
        for opened in dispatch.run_due(office, clock.now()):
            if opened.issue:
                event = "digest.waits_for_approval" if opened.in_review else "digest.opened"
                log.info(event, issue=opened.issue, eligible=opened.eligible)
        covered.put_away(services.database)

    def tidy(self) -> None:
        """Remind once, then forget, the addresses that were never confirmed; forget what moved away.

        Whoever has left the list in other ways than ours is looked for here, since that reads all who have.
        """
        domain, now = parseaddr(self.services.settings.sender)[1].rpartition("@")[2], clock.now()
        with self.services.database.transaction() as session:
            reminded = retention.remind(session, domain, now)
            forgotten = retention.forget_unconfirmed(session, now)
            moving.forget_old(session, now)
            shield.forget_old(session, now)
            lifecycle.follow(session, now)
            balance.count_earlier(session)
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
            paced = pace.limits(services.settings)
            return outbox.run_once(services.database, tagged, self.owner, clock.now, paced)

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
