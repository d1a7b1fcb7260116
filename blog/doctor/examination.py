"""The whole examination, in the order in which things depend on one another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from blog import revisions
from blog.db import Database
from blog.delivery import dkim, signing
from blog.doctor import domain, live, machine, queue, relay
from blog.doctor.domain import Sending
from blog.doctor.findings import Finding, Verdict, skipped
from blog.doctor.zone import Zone
from blog.links import Links
from blog.settings import Settings
from blog.tokens import Tokens


@dataclass(frozen=True)
class Asked:
    """What the operator adds to the settings: a name server, DKIM selectors, where mail leaves the relay."""

    zone: Zone
    selectors: Sequence[str] = ()
    outgoing: Sequence[str] = ()
    public: bool = False


def examine(
    settings: Settings, database: Database, tokens: Tokens, links: Links, asked: Asked, now: datetime
) -> Iterator[Finding]:
    """Yield finding after finding; slow ones come as they are made."""
    yield machine.check_secret(settings)
    yield machine.check_address(settings)
    yield from _stored(settings, database, now)
    yield queue.check(settings)
    yield from machine.check_disk(settings, database)
    author = parseaddr(settings.sender)[1].rpartition("@")[2].lower()
    yield from relay.check(settings, author, now)
    if settings.is_local and not asked.public:
        yield skipped("domain", "the site is on this machine only; --public examines the domain all the same")
    else:
        yield from domain.check(asked.zone, _sending(settings, author, asked))
    yield from live.check(tokens, links)


def _stored(settings: Settings, database: Database, now: datetime) -> Iterator[Finding]:
    found = list(machine.check_database(database))
    yield from found
    if any(finding.verdict is Verdict.WRONG for finding in found) or revisions.current(database) is None:
        for name in ("worker", "clock", "content"):
            yield skipped(name, "the database is to be mended first")
        return
    with database.reading() as session:
        yield machine.check_work(session, now)
        yield from machine.check_clock(session, now)
        yield from machine.check_content(settings, session, now)


def _sending(settings: Settings, author: str, asked: Asked) -> Sending:
    returns = settings.bounce_address.rpartition("@")[2].lower()
    order = signing.ordered(settings)
    signer, files = (order[0].lower(), dict(order[1])) if order else (author, {})
    return Sending(
        author=author,
        envelope=returns or author,
        signer=signer,
        selectors=[*files, *asked.selectors],
        addresses=asked.outgoing or relay.addresses(settings),
        keys={selector: dkim.published(path) for selector, path in files.items()} if files else None,
    )
