"""Which edition of the site is the present one: asked of the database by each process, a few times a second.

An edition ends when anything published changes, on whatever host, and at the minute when an article is due or
expires. Asking costs one small read; while the database cannot be reached the last edition stays.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError

from blog.db import Database
from blog.errors import Busy
from blog.web.kept_page import KeptPage

#: How often the same process asks. A read of a SQLite file costs less than a millisecond; one of a server
#: crosses a network.
FILE_SECONDS, SERVER_SECONDS = 0.05, 0.5
#: No request waits longer than this for the answer; it is then served from the edition at hand.
PATIENCE_SECONDS = 1.0
#: As long as there is no edition at all, there is nothing to serve either.
FIRST_SECONDS = 10.0
RETRY_SECONDS = 1.0

log = structlog.get_logger("blog.web")


class State(NamedTuple):
    """What tells one edition from another: the marks of all it is made of, and when it began and will end."""

    marks: tuple[object, ...]
    since: float
    until: float


class Edition:
    """One state of the site, and the pages made from it; they are dropped with it, all at once."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.pages: OrderedDict[str, KeptPage] = OrderedDict()
        #: What every page needs and no request changes, by name.
        self.facts: dict[str, Any] = {}
        self._bytes = 0

    def touch(self, path: str) -> None:
        """Note that a page has been asked for."""
        try:  # noqa: SIM105 - `suppress` costs as much as the rest of an answer, on every request
            self.pages.move_to_end(path)
        except KeyError:
            pass  # pushed out a moment ago by another request

    def keep(self, path: str, page: KeptPage, most: int) -> None:
        """Keep a page; those asked for longest ago go when there are more than `most` bytes."""
        if page.size > most:
            return
        former = self.pages.pop(path, None)
        self.pages[path] = page
        self._bytes += page.size - (former.size if former else 0)
        while self._bytes > most:
            self._bytes -= self.pages.popitem(last=False)[1].size


Read = Callable[[State | None], State]


class Editions:
    """Tells the present edition, asking anew when the last answer is too old."""

    def __init__(self, read: Read, database: Database) -> None:
        self._read = read
        self._is_file = database.is_sqlite
        self._interval = FILE_SECONDS if self._is_file else SERVER_SECONDS
        self._edition: Edition | None = None
        self._asked, self._due, self._commits = 0.0, 0.0, -1
        self._failing = False
        self._asking = threading.Lock()

    def current(self) -> Edition | None:
        """Return the present edition; None as long as the database has never been reached."""
        # A process sees its own writes at once, and those of others after the interval. The clock may be set
        # back, hence the lower bound.
        if not self._asked <= time.time() < self._due or Database.commits != self._commits:
            self._ask()
        return self._edition

    def _ask(self) -> None:
        if not self._asking.acquire(blocking=False):
            return  # another request is asking; this one is served from the edition at hand
        if self._is_file:
            self._look(None)
            return
        done = threading.Event()
        # In a thread of its own: a server that has gone away without a word is noticed only by a time-out.
        threading.Thread(target=self._look, args=(done,), name="edition", daemon=True).start()
        done.wait(PATIENCE_SECONDS if self._edition else FIRST_SECONDS)

    def look_every(self, seconds: float) -> None:
        """Ask less often: for a process that asks for certainty when it has done its work."""
        self._interval = seconds

    def certain(self) -> Edition | None:
        """Return the edition of this moment, however long that takes; None without a database."""
        with self._asking:
            self._renew()
        return self._edition

    def _look(self, done: threading.Event | None) -> None:
        try:
            self._renew()
        finally:
            self._asking.release()
            if done:
                done.set()

    def _renew(self) -> None:
        commits = Database.commits
        known = self._edition
        try:
            state = self._read(known.state if known else None)
        except (SQLAlchemyError, Busy, OSError) as error:
            self._keep_on(commits, type(error).__name__)
        else:
            if known is None or state != known.state:
                self._edition = Edition(state)
            self._next(commits, min(time.time() + self._interval, state.until))
            self._failing = False

    def _keep_on(self, commits: int, kind: str) -> None:
        if not self._failing:
            log.warning("edition_unknown", error=kind, kept=self._edition is not None)
        self._failing = True
        self._next(commits, time.time() + RETRY_SECONDS)

    def _next(self, commits: int, due: float) -> None:
        self._asked, self._due, self._commits = time.time(), due, commits
