"""Dates as people and other tools write them, to UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from enum import StrEnum

EARLIEST, LATEST = 1900, 9998

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
# Offsets in hours. Names that mean two zones (IST, CST in Asia) are taken as the older tools take them.
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2,
    "eet": 2, "eest": 3, "msk": 3,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "jst": 9, "aest": 10, "aedt": 11,
}  # fmt: skip

_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::+(?P<second>\d{1,2}))?(?:[.,](?P<fraction>\d{1,9}))?"
_ZONE = r"(?P<zone>[A-Za-z]{1,5}|[+-]\d{1,2}(?::?\d{2})?)"
# One-digit fields, a doubled colon and a year said twice all occur in published blogs.
_NUMERIC = re.compile(
    rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})"
    rf"(?:(?:[Tt]|\s+){_TIME}(?:\s+(?P=year))?\s*{_ZONE}?)?"
)
_MONTH = r"(?P<name>[A-Za-z]{3,9})\.?"
_WEEKDAY = r"(?:[A-Za-z]{3,9},?\s+)?"
_NAMED = [
    re.compile(rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_TIME}\s+(?:{_ZONE}\s+)?(?P<year>\d{{4}})"),
    re.compile(rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})(?:,?\s+{_TIME}\s*{_ZONE}?)?"),
    re.compile(rf"{_WEEKDAY}(?P<day>\d{{1,2}})\s+{_MONTH},?\s+(?P<year>\d{{4}})(?:,?\s+{_TIME}\s*{_ZONE}?)?"),
]
_EPOCH = re.compile(r"\d{9,14}")
_IN_PATH = re.compile(r"(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?=/|$)")
_IN_NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?![0-9])")


class Order(StrEnum):
    """How a date such as 03/04/2021 is meant; nobody can know it unless the writer says so."""

    MONTH_FIRST = "month-first"
    DAY_FIRST = "day-first"


_MONTH_NUMBER, _DAY_NUMBER = r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_REST = rf"[-/.](?P<year>\d{{4}})(?:,?\s+{_TIME}\s*{_ZONE}?)?"
_SHORT = {
    Order.MONTH_FIRST: re.compile(rf"{_MONTH_NUMBER}[-/.]{_DAY_NUMBER}{_REST}"),
    Order.DAY_FIRST: re.compile(rf"{_DAY_NUMBER}[-/.]{_MONTH_NUMBER}{_REST}"),
}


def parse(value: object, zone: tzinfo, order: Order | None = None) -> datetime | None:
    """Return the moment `value` names, in UTC, or None; a missing zone means the site's."""
    try:
        found = _moment(value, zone, order)
        utc = found.astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None
    return utc if utc and EARLIEST <= utc.year <= LATEST else None


def in_path(path: str, zone: tzinfo) -> datetime | None:
    """Return the date in an address such as `2024/02/19/a-title`."""
    found = _IN_PATH.search(path)
    return parse("-".join(found.groups()), zone) if found else None


def in_name(name: str, zone: tzinfo) -> datetime | None:
    """Return the date at the start of a file or folder name such as `2025-05-30-a-title`."""
    found = _IN_NAME.match(name)
    return parse("-".join(found.groups()), zone) if found else None


def needs_order(value: object) -> bool:
    """Whether a value is a date once somebody says which of its numbers is the month."""
    return any(parse(value, UTC, order) for order in Order) and parse(value, UTC) is None


def _moment(value: object, zone: tzinfo, order: Order | None) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time(), zone)
    if isinstance(value, bool):
        return None
    if isinstance(value, (str, int, float)):
        return _from_text(str(value).strip(), zone, order)
    return None


def _from_text(text: str, zone: tzinfo, order: Order | None) -> datetime | None:
    if _EPOCH.fullmatch(text):
        seconds = int(text) / (1000 if len(text) > 10 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    for pattern in (_NUMERIC, *_NAMED, *([_SHORT[order]] if order else [])):
        found = pattern.fullmatch(text)
        if found:
            return _from_parts(found.groupdict(), zone)
    return None


def _from_parts(parts: dict[str, str | None], zone: tzinfo) -> datetime | None:
    month = _MONTHS.get(str(parts["name"])[:3].lower()) if "name" in parts else int(parts["month"] or 0)
    offset = _offset(parts["zone"]) if parts["zone"] else zone
    if month is None or offset is None:
        return None
    fraction = (parts["fraction"] or "").ljust(6, "0")[:6]
    return datetime(
        int(parts["year"] or 0),
        month,
        int(parts["day"] or 0),
        int(parts["hour"] or 0),
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int(fraction),
        tzinfo=offset,
    )


def _offset(text: str) -> tzinfo | None:
    if text[0] not in "+-":
        hours = _ZONES.get(text.lower())
        return None if hours is None else timezone(timedelta(hours=hours))
    digits = text[1:].replace(":", "")
    minutes = int(digits) * 60 if len(digits) <= 2 else int(digits[:-2]) * 60 + int(digits[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
