"""How pages say dates, times, names and counts."""

from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from blog import language
from blog.articles.reasons import SHARES
from blog.content.slugs import slug_for
from blog.content.values import Site
from blog.language import say

CARD_LENGTH = 180
ELLIPSIS = "…"


def long_date(moment: datetime, site: Site) -> str:
    """Return a date such as `May 30, 2025`, as the publisher's calendar has it."""
    return language.long_day(site.language, moment.astimezone(ZoneInfo(site.timezone)).date())


def short_date(moment: datetime, site: Site) -> str:
    """Return a date within a year, such as `May 30`."""
    return language.short_day(site.language, moment.astimezone(ZoneInfo(site.timezone)).date())


def iso_date(moment: datetime, site: Site) -> str:
    """Return a date for machines, such as `2025-05-30`."""
    return moment.astimezone(ZoneInfo(site.timezone)).date().isoformat()


def iso_moment(moment: datetime, site: Site) -> str:
    """Return a moment for machines with the publisher's offset, so that its date is the one people read.

    To the second: HTML knows no finer fractions than thousandths.
    """
    return moment.astimezone(ZoneInfo(site.timezone)).isoformat(timespec="seconds")


def year(moment: datetime, site: Site) -> int:
    """Return the year of a moment in the publisher's calendar."""
    return moment.astimezone(ZoneInfo(site.timezone)).year


def excerpt(text: str, length: int = CARD_LENGTH) -> str:
    """Return the beginning of a text, cut between two words, with an ellipsis where something is missing."""
    text = _beginning(text, length)
    if len(text) <= length:
        return text
    kept = text[:length].rsplit(" ", 1)[0].rstrip(" ,;:.-–—…")
    return kept + ELLIPSIS


def _beginning(text: str, length: int) -> str:
    """Return the words of a text with one blank between them: all, or the first that exceed a length."""
    # The whole text of an article is a thousand words, and nearly always twice the length holds enough.
    first = " ".join(text[: 2 * length].split())
    return first if len(first) > length else " ".join(text.split(None, length + 1)[: length + 1])


class Written(Protocol):
    """An article, or what a list says of one."""

    @property
    def extra(self) -> dict[str, Any]:
        """What its header says beyond what has a column."""


def topic_name(slug: str, site: Site, article: Written | None = None) -> str:
    """Return a topic's name: as the site describes it, else as the article writes it, else from its slug."""
    known = site.topic_names
    written = article.extra.get("topic_names", {}) if article else {}
    return str(known.get(slug) or written.get(slug) or slug.replace("-", " ").capitalize())


def author_name(author: str, site: Site) -> str:
    """Return an author's name, whether the article gives the name or the slug."""
    return {known.slug: known.name for known in site.authors}.get(author, author)


def author_slug(author: str, site: Site) -> str:
    """Return the last part of the address of an author, whom an article names by name or by slug."""
    known = {slug_for(known.name): known.slug for known in site.authors}
    slug = slug_for(author)
    return known.get(slug, slug)


def count(number: int, one: str, many: str) -> str:
    """Return a number with its noun, such as `1 article` or `12 articles`."""
    return f"{number:,} {one if number == 1 else many}"


def cadences(site: Site) -> list[tuple[str, str]]:
    """Return how often somebody can hear from the site: the values that forms post, with their labels."""
    tag, day = site.language, str(site.digests.get("weekly", {}).get("day", "")).capitalize()
    weekly = say(tag, "Once a week, on %(day)s", day=language.weekday(tag, day)) if day else ""
    labels = {
        "instant": say(tag, "Every article, as it is published"),
        "daily": say(tag, "Once a day, when there is something new"),
        "weekly": weekly or say(tag, "Once a week"),
        "monthly": say(tag, "Once a month"),
    }
    return [
        (value, label) for value, label in labels.items() if site.digests.get(value, {}).get("enabled", True)
    ]


def initials(name: str) -> str:
    """Return the first letters of a name's first and last word, to stand where a portrait would."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0].upper() for word in dict.fromkeys([words[0], words[-1]])) if words else ""


def because(reason: str, site: Site) -> str:
    """Return why an article is shown with another one, as `related` has stored it in English."""
    if not reason.startswith(SHARES):
        return reason
    return say(site.language, "shares %(words)s", words=reason.removeprefix(SHARES))
