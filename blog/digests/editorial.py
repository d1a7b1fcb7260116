"""The editor's part of an issue: which note it is, and its words for both parts of the mail and the page."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from markupsafe import Markup

from blog.articles.models import Article
from blog.content import issues, problems
from blog.content.issues import Note
from blog.delivery import prose
from blog.errors import UsageError
from blog.subscribers.models import Cadence


@dataclass(frozen=True)
class Editorial:
    """What the editor adds to an issue; empty where there is no note."""

    source: str | None = None
    subject: str = ""
    pinned: tuple[str, ...] = ()
    html: Markup = field(default_factory=Markup)
    text: str = ""


NONE = Editorial()


def for_issue(
    content_dir: Path, base: str, cadence: Cadence, at: datetime, zone: ZoneInfo, used: Container[str]
) -> Editorial:
    """Return the note for an issue of a cadence at a moment: that day's, or one for the *next* issue.

    One that an issue of this cadence has `used` says nothing twice, however often its file is edited.

    Raises `UsageError`, a line for each file that cannot be read: rather no issue than one without its note.
    """
    found, wrong = issues.read(content_dir)
    serious = [problem for problem in wrong if not problem.notice]
    if serious:
        raise UsageError("\n".join(problems.lines(serious)))
    mine = [note for note in found if cadence in note.cadences]
    today = at.astimezone(zone).date()
    unused = [note for note in mine if note.source not in used]
    dated = [note for note in unused if note.day == today]
    waiting = [note for note in unused if note.day is None]
    chosen = next(iter([*dated, *waiting]), None)
    return of(chosen, base) if chosen else NONE


def of(note: Note, base: str) -> Editorial:
    """Return a note as it is mailed and shown, with whole addresses."""
    return replace(words(note.body, base), source=note.source, subject=note.subject, pinned=note.pinned)


def words(text: str, base: str) -> Editorial:
    """Return a few words in Markdown as they are mailed and shown."""
    html = prose.html(text, base)
    return Editorial(html=html, text=prose.text(html))


def pinned_first(articles: Iterable[Article], pinned: tuple[str, ...]) -> list[Article]:
    """Return articles with the pinned ones first, in the order in which they are pinned."""
    place = {slug: number for number, slug in enumerate(pinned)}
    return sorted(articles, key=lambda article: place.get(article.slug, len(place)))
