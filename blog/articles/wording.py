"""How pages say dates, times, names and counts."""

from datetime import datetime
from zoneinfo import ZoneInfo

from blog.articles.models import Article
from blog.content.slugs import slug_for
from blog.content.values import Site

CARD_LENGTH = 180
ELLIPSIS = "…"
#: Languages whose usual script runs from right to left.
RIGHT_TO_LEFT = {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}


def long_date(moment: datetime, site: Site) -> str:
    """Return a date such as `May 30, 2025`, as the publisher's calendar has it."""
    day = moment.astimezone(ZoneInfo(site.timezone))
    return f"{day:%B} {day.day}, {day.year}"


def short_date(moment: datetime, site: Site) -> str:
    """Return a date within a year, such as `May 30`."""
    day = moment.astimezone(ZoneInfo(site.timezone))
    return f"{day:%b} {day.day}"


def iso_date(moment: datetime, site: Site) -> str:
    """Return a date for machines, such as `2025-05-30`."""
    return moment.astimezone(ZoneInfo(site.timezone)).date().isoformat()


def iso_moment(moment: datetime, site: Site) -> str:
    """Return a moment for machines with the publisher's offset, so that its date is the one people read."""
    return moment.astimezone(ZoneInfo(site.timezone)).isoformat()


def year(moment: datetime, site: Site) -> int:
    """Return the year of a moment in the publisher's calendar."""
    return moment.astimezone(ZoneInfo(site.timezone)).year


def excerpt(text: str, length: int = CARD_LENGTH) -> str:
    """Return the beginning of a text, cut between two words, with an ellipsis where something is missing."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    kept = text[:length].rsplit(" ", 1)[0].rstrip(" ,;:.-–—…")
    return kept + ELLIPSIS


def topic_name(slug: str, site: Site, article: Article | None = None) -> str:
    """Return a topic's name: as the site describes it, else as the article writes it, else from its slug."""
    known = {topic.slug: topic.name for topic in site.topics}
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


def joined(names: list[str]) -> str:
    """Return names as a list within a sentence."""
    if len(names) < 3:
        return " and ".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def count(number: int, one: str, many: str) -> str:
    """Return a number with its noun, such as `1 article` or `12 articles`."""
    return f"{number:,} {one if number == 1 else many}"


def cadences(site: Site) -> list[tuple[str, str]]:
    """Return how often somebody can hear from the site: the values that forms post, with their labels."""
    weekday = str(site.digests.get("weekly", {}).get("day", "")).capitalize()
    labels = {
        "instant": "Every article, as it is published",
        "daily": "Once a day, when there is something new",
        "weekly": f"Once a week, on {weekday}" if weekday else "Once a week",
        "monthly": "Once a month",
    }
    return [
        (value, label) for value, label in labels.items() if site.digests.get(value, {}).get("enabled", True)
    ]


def initials(name: str) -> str:
    """Return the first letters of a name's first and last word, to stand where a portrait would."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0].upper() for word in dict.fromkeys([words[0], words[-1]])) if words else ""


def direction(language: str) -> str:
    """Return which way a language is written: `ltr` or `rtl`."""
    first, *rest = language.lower().split("-")
    if {"arab", "hebr", "thaa", "nkoo", "adlm"} & set(rest):
        return "rtl"
    return "rtl" if first in RIGHT_TO_LEFT and "latn" not in rest else "ltr"
