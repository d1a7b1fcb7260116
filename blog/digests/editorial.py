"""The editor's part of an issue: which note it is, and its words for both parts of the mail and the page."""

import re
import textwrap
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import markdown
import nh3
from markupsafe import Markup

from blog.articles.models import Article
from blog.content import issues, problems
from blog.content.issues import Note
from blog.errors import UsageError
from blog.subscribers.models import Cadence

WIDTH = 72
#: The column of a mail; a picture without a width would be shown at its own, wider than most screens.
PICTURE_WIDTH = 520
_TAGS = {"p", "br", "a", "em", "strong", "ul", "ol", "li", "h2", "h3", "blockquote", "code", "img"}
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}}
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


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
    return Editorial(note.source, note.subject, note.pinned, _html(note.body, base), _text(note.body, base))


def words(text: str, base: str) -> Editorial:
    """Return a few words in Markdown as they are mailed and shown."""
    return Editorial(html=_html(text, base), text=_text(text, base))


def pinned_first(articles: Iterable[Article], pinned: tuple[str, ...]) -> list[Article]:
    """Return articles with the pinned ones first, in the order in which they are pinned."""
    place = {slug: number for number, slug in enumerate(pinned)}
    return sorted(articles, key=lambda article: place.get(article.slug, len(place)))


def _html(body: str, base: str) -> Markup:
    made = markdown.markdown(body)
    made = re.sub(r"<img(?![^>]*\bwidth=)", f'<img width="{PICTURE_WIDTH}"', made)
    clean = nh3.clean(
        made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"https", "http", "mailto"}, link_rel=None
    )
    whole = re.sub(r'\b(href|src)="([^"]*)"', lambda found: f'{found[1]}="{urljoin(base, found[2])}"', clean)
    return Markup(whole)  # noqa: S704 - cleaned above


def _text(body: str, base: str) -> str:
    """Return the note as it was written, which is what Markdown is for; links and pictures are spelt out."""
    spelt = _IMAGE.sub(lambda image: f"[{image[1]}]" if image[1] else "", body)
    spelt = _LINK.sub(lambda link: f"{link[1]} <{urljoin(base, link[2])}>", spelt)
    return "\n\n".join(_wrapped(block) for block in re.split(r"\n\s*\n", spelt) if block.strip())


def _wrapped(block: str) -> str:
    if re.match(r"[-*+>#]|\d+\.", block):
        return "\n".join(line.rstrip() for line in block.split("\n"))
    return textwrap.fill(" ".join(block.split()), WIDTH, break_long_words=False, break_on_hyphens=False)
