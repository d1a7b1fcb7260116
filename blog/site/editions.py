"""What makes an edition of the site: index, digests, `site.toml` and its files, templates, and the clock."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from blog import clock
from blog.articles import moments
from blog.content import stamps
from blog.content.site import FILE, cached_site
from blog.content.stamps import Stamp
from blog.db import Database
from blog.digests import reading as digests
from blog.web.editions import State

#: The templates, some dozens of files, are looked at this often.
TEMPLATE_SECONDS = 0.5


class Reader:
    """Reads the state of the site; what is dear to read is read again only after a change."""

    def __init__(self, database: Database, content_dir: Path, templates: Sequence[Path]) -> None:
        self._database = database
        self._content_dir = content_dir
        self._templates = templates
        #: The last state, and what had been committed when it was read.
        self._last: tuple[State, int | None] | None = None
        self._looked = 0.0
        self._stamps: tuple[Stamp, ...] = ()

    def __call__(self, known: State | None) -> State:
        """Return the state of now, given the last one."""
        now = clock.now()
        site = cached_site(self._content_dir)
        own = [FILE, *site.fonts.values(), *filter(None, [site.logo])]
        files = (*stamps.of(f"{self._content_dir}/{name}" for name in own), *self._template_stamps())
        same_files = known is not None and known.marks[-1] == files
        at_hand = known if known and same_files and now.timestamp() < known.until else None
        commits = self._database.counted_commits()
        if at_hand and commits is not None and self._last == (at_hand, commits):
            return at_hand
        state = self._read(at_hand, files, now)
        self._last = state, commits
        return state

    def _read(self, at_hand: State | None, files: tuple[Stamp, ...], now: datetime) -> State:
        with self._database.reading() as session:
            index, issues = moments.mark(session), digests.mark(session)
            marks = (index, issues, files)
            if at_hand and at_hand.marks == marks:
                return at_hand
            around = moments.around(session, now)
        dates = [around.last, index and index.synced_at, issues.newest_at]
        since = max([_seconds(date, 0.0) for date in dates] + [stamp.changed_ns / 1e9 for stamp in files])
        return State(marks, since, _seconds(around.next, float("inf")))

    def _template_stamps(self) -> tuple[Stamp, ...]:
        if not self._looked <= time.time() < self._looked + TEMPLATE_SECONDS:
            self._looked = time.time()
            self._stamps = stamps.of(path for folder in self._templates for path in stamps.files(str(folder)))
        return self._stamps


def _seconds(moment: datetime | None, otherwise: float) -> float:
    return moment.astimezone(UTC).timestamp() if moment else otherwise
