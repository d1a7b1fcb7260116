"""The language that pages and mails speak: its words, its dates and numbers, and which way it runs.

Words live in gettext catalogues, one folder a language; English is what the code and the templates say. Every
function takes the language as a value, since a mail is written outside any request. Babel is loaded when the
first date or number is written: a command that writes none starts 40 ms earlier.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache
from gettext import NullTranslations, translation
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

CATALOGUES = Path(__file__).parent / "translations"
SOURCE = "en"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Languages whose usual script runs from right to left.
RIGHT_TO_LEFT = {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}


def N_(message: str) -> str:
    """Mark a text for the catalogues where it is written down; it is translated where it is shown."""
    return message


@cache
def offered() -> tuple[str, ...]:
    """Return the languages there are words for, English first."""
    return (SOURCE, *sorted(path.parent.parent.name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.mo")))


def has_words(tag: str) -> bool:
    """Say whether there is a catalogue for a language, be it that of another country: `de` for `de-AT`."""
    return _written(tag) is not None


@lru_cache(maxsize=64)
def locale(tag: str) -> "Locale":
    """Return how a language writes dates and numbers; one without words gets those of English as well."""
    from babel import Locale, UnknownLocaleError

    if not has_words(tag):
        return Locale(SOURCE)
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):  # a country or a variant that CLDR does not know
        return Locale(_written(tag) or SOURCE)


@lru_cache(maxsize=64)
def words(tag: str) -> NullTranslations:
    """Return the catalogue of a language; English has none, and neither has one without words."""
    known = _written(tag)
    if known is None or known == SOURCE:
        return NullTranslations()
    return translation("messages", CATALOGUES, [known])


def say(tag: str, message: str, **values: object) -> str:
    """Return a message in a language, with its values filled in."""
    said = words(tag).gettext(message)
    return said % values if values else said


def say_many(tag: str, one: str, many: str, number: int, **values: object) -> str:
    """Return a message in the form that a language has for this number."""
    return words(tag).ngettext(one, many, number) % {"num": decimal(tag, number), **values}


@lru_cache(maxsize=4096)
def long_day(tag: str, day: date) -> str:
    """Return a day such as `May 30, 2025`."""
    from babel.dates import format_date

    return format_date(day, "long", locale(tag))


@lru_cache(maxsize=4096)
def short_day(tag: str, day: date) -> str:
    """Return a day within a year, such as `May 30`."""
    from babel.dates import format_skeleton

    return format_skeleton("MMMd", day, locale=locale(tag))


def weekday(tag: str, english: str) -> str:
    """Return the name of a day of the week; what is no such day stays as it is."""
    from babel.dates import get_day_names

    if english.lower() not in DAYS:
        return english
    return str(get_day_names(locale=locale(tag))[DAYS.index(english.lower())])


def decimal(tag: str, number: int) -> str:
    """Return a number with its separators, such as `1,234`."""
    from babel.numbers import format_decimal

    return format_decimal(number, locale=locale(tag))


def listed(tag: str, names: Sequence[str]) -> str:
    """Return names as a list within a sentence."""
    from babel import Locale
    from babel.lists import format_list

    spoken = locale(tag)
    # The house style has no comma before the last "and", which CLDR gives to American English alone.
    return format_list(list(names), locale=Locale("en", "GB") if spoken == Locale(SOURCE) else spoken)


def name_of(tag: str) -> str:
    """Return a language's name for itself."""
    from babel import Locale

    name = str(Locale.parse(tag, sep="-").get_display_name() or tag)
    return name[:1].upper() + name[1:]


def direction(tag: str) -> str:
    """Return which way a language is written: `ltr` or `rtl`."""
    first, *rest = tag.lower().split("-")
    if {"arab", "hebr", "thaa", "nkoo", "adlm"} & set(rest):
        return "rtl"
    return "rtl" if first in RIGHT_TO_LEFT and "latn" not in rest else "ltr"


def _written(tag: str) -> str | None:
    """Return the catalogue a tag is served by: the longest beginning of it that there is one for."""
    parts = tag.replace("_", "-").split("-")
    known = {name.lower(): name for name in offered()}
    tries = ("_".join(parts[:length]).lower() for length in range(len(parts), 0, -1))
    return next((known[name] for name in tries if name in known), None)
