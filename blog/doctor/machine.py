"""What we run on: secrets, database, schema, content, disk, clock, and whether a worker works."""

import ctypes
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from blog import revisions
from blog.articles import reading
from blog.content.site import load_site
from blog.db import Database
from blog.delivery import backlog
from blog.doctor.findings import Finding, good, skipped, warning, wrong
from blog.settings import HOW_TO_MAKE_ONE, Settings

LITTLE_BYTES, LEAST_BYTES = 2 * 2**30, 200 * 2**20
CLOCK_TOLERANCE = timedelta(seconds=2)
LATE = timedelta(minutes=10)
#: https://sqlite.org/wal.html: until then a checkpoint beside a writer could damage the file.
FIRST_SOUND_SQLITE = (3, 51, 3)
#: What adjtimex(2) answers while nothing keeps the clock right, and room for the structure it fills.
UNSYNCHRONISED, TIMEX_BYTES = 5, 208


def check_secret(settings: Settings) -> Finding:
    """Say whether what signs our links is a secret of one's own."""
    if settings.is_local and not settings.secret_key.get_secret_value():
        return good(
            "secret", "made at the first start and kept in the var folder; a public site needs its own"
        )
    if len(set(settings.key_ring[0])) < 10:
        why = "whoever guesses it can unsubscribe anybody"
        return wrong(
            "secret", "BLOG_SECRET_KEY repeats a few characters", why, f"make one: {HOW_TO_MAKE_ONE}"
        )
    older = len(settings.key_ring) - 1
    return good("secret", f"one key, and {older} older ones whose links still work" if older else "one key")


def check_address(settings: Settings) -> Finding:
    """Say whether a digest names where its sender is reached by post."""
    if settings.postal_address:
        return good("postal address", "set")
    why = "the law of many countries asks for it, and no digest leaves a public site without one"
    judge = warning if settings.is_local else wrong
    return judge("postal address", "missing", why, "set BLOG_POSTAL_ADDRESS")


def check_database(database: Database) -> Iterator[Finding]:
    """Say whether the database can be written, is sound, and has this version's schema."""
    try:
        with database.transaction() as session:
            yield _sqlite(session) if database.is_sqlite else _postgresql(session)
            session.execute(text("CREATE TEMPORARY TABLE doctor (x INTEGER)"))
            session.rollback()
        at, wanted = revisions.current(database), revisions.head()
    except (SQLAlchemyError, OSError) as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
        mend = "start it, or mend BLOG_DATABASE_URL or the rights of the user in it"
        yield wrong("database", f"cannot be used: {cause}", "nothing works without it", mend)
        return
    if at == wanted:
        yield good("migrations", f"at {at}")
    elif not revisions.is_behind(at):
        mend = "install the version that upgraded it, at the latest before the next upgrade"
        yield warning(
            "migrations", f"at {at}; this version knows {wanted}", "old code serves, but misses news", mend
        )
    else:
        why = "commands refuse to work on an older schema"
        yield wrong(
            "migrations", f"at {at or 'none'}; this version wants {wanted}", why, "run: blog db upgrade"
        )


def check_work(session: Session, now: datetime) -> Finding:
    """Say whether somebody sends what is due."""
    oldest = backlog.oldest_due(session, now)
    if oldest is None or now - oldest < LATE:
        return good("worker", "nothing is late")
    minutes = int((now - oldest).total_seconds() // 60)
    mend = "start one: blog worker, or Celery's where there is a broker (and see whether the relay answers)"
    return wrong("worker", f"a mail has been due for {minutes:,} minutes", "no worker seems to run", mend)


def check_clock(session: Session, now: datetime) -> Iterator[Finding]:
    """Say whether our clock is kept right, and agrees with the database's."""
    if session.get_bind().dialect.name == "postgresql":
        theirs = session.scalar(select(text("clock_timestamp()")))
        apart = abs(theirs - now) if theirs else timedelta()
        if apart > CLOCK_TOLERANCE:
            why = "leases, schedules and links go by the time; both must tell the same"
            found = f"{apart.total_seconds():.0f} s from the database's"
            yield wrong("clock", found, why, "synchronise both hosts by NTP")
            return
    answer = _kernel_clock()
    if answer is None:
        yield skipped("clock", "this system does not tell whether it is synchronised")
    elif answer == UNSYNCHRONISED:
        why = "digests go out and links expire by it; a wrong Date is also a sign of junk"
        yield warning(
            "clock", "nothing is known to keep it right", why, "run chrony, ntpd or systemd-timesyncd"
        )
    else:
        yield good("clock", "synchronised")


def check_content(settings: Settings, session: Session, now: datetime) -> Iterator[Finding]:
    """Say whether there is something to read."""
    folder = settings.content_dir
    if not folder.is_dir():
        yield wrong("content", f"there is no folder {folder}", "no sync can work", "set BLOG_CONTENT_DIR")
        return
    _, problems = load_site(folder)
    articles = len(reading.all_live(session, now, limit=1))
    if problems:
        found = f"{len(problems)} problems in site.toml, the first: {problems[0].message}"
        yield warning("content", found, "defaults are used in its place", "run: blog check")
    elif not articles:
        yield warning("content", "no article is published", "readers find an empty site", "run: blog sync")
    else:
        yield good("content", "articles are published, site.toml is sound")


def check_disk(settings: Settings, database: Database) -> Iterator[Finding]:
    """Say whether there is room where we write."""
    folders = {"var folder": settings.var_dir}
    if database.is_sqlite:
        folders["database's folder"] = Path(database.url.database or ".").parent
    seen: set[int] = set()
    for name, folder in folders.items():
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        if there.stat().st_dev in seen:
            continue
        seen.add(there.stat().st_dev)
        free = shutil.disk_usage(there).free
        found = f"{free / 2**30:.1f} GB free in the {name}"
        if free < LEAST_BYTES:
            yield wrong("disk", found, "without room nothing can be recorded, and sending stops", "make room")
        elif free < LITTLE_BYTES:
            yield warning("disk", found, "it will not last long", "make room")
        else:
            yield good("disk", found)


def _sqlite(session: Session) -> Finding:
    result = session.scalar(text("PRAGMA quick_check(1)"))
    if result != "ok":
        why = "what is written there may be lost"
        return wrong(
            "database", f"SQLite finds damage: {result}", why, "stop everything and restore a backup"
        )
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < FIRST_SOUND_SQLITE:
        why = "it has a rare fault in checkpoints; our write ticket keeps writers out of its way"
        mend = "use a Python whose SQLite is 3.51.3 or newer; let no other program write to the file"
        return warning("database", f"SQLite {version}, sound and writable", why, mend)
    return good("database", f"SQLite {version}, sound and writable")


def _postgresql(session: Session) -> Finding:
    return good("database", f"PostgreSQL {session.scalar(text('SHOW server_version'))}, writable")


def _kernel_clock() -> int | None:
    """Return what adjtimex(2) says of the clock; None where there is no such call."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)))
    except (OSError, AttributeError):
        return None
