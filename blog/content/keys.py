"""Reading keys out of a header: which spelling was used, whether its value makes sense, and what is left."""

import math
import re
from collections.abc import Iterable
from datetime import date, datetime, time, tzinfo
from functools import lru_cache
from typing import Any

from blog.content import dates
from blog.content.front_matter import Header
from blog.content.values import Problem

LONGEST_NAME = 100
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
#: What some tools take as "look at the file": here the file's name or time is looked at without being told.
_NO_DATE = {"today", "now", "created", "lastmodified", "gitcreated", "gitlastmodified"}


class Keys:
    """The header's keys while they are read: what was used, and what was wrong.

    Names are compared without case, hyphens and underscores: `pub_date` is `pubDate`. A mistake in a
    `decisive` key makes the whole file unusable; any other is reported and the key left out.
    """

    def __init__(self, header: Header, file: str, zone: tzinfo) -> None:
        self.problems: list[Problem] = []
        self.usable = True
        self.order: dates.Order | None = None
        self._header, self._file, self._zone = header, file, zone
        self._values = {squeezed(key): (key, value) for key, value in reversed(header.fields.items())}
        self._used: set[str] = set()

    def given(self, names: Iterable[str]) -> list[tuple[str, Any]]:
        """Return the keys among `names` that hold something, as they are written, in the order of `names`."""
        self._used.update(names)
        found = [self._values[name] for name in names if name in self._values]
        return [pair for pair in found if pair[1] not in _NOTHING]

    def unread(self) -> dict[str, Any]:
        """Return the keys nobody has asked for, with their values."""
        return {key: value for name, (key, value) in self._values.items() if name not in self._used}

    def wrong(self, key: str, value: object, expected: str, *, decisive: bool = False) -> None:
        """Report a value that cannot be understood."""
        effect = "the file is left out until this is mended" if decisive else "the key is ignored"
        message = f"{key}: {_shown(value)} is not understood"
        hint = f"write {key}: {expected}; {effect}"
        self.problems.append(Problem(self._file, self._header.lines.get(key), message, hint))
        self.usable = self.usable and not decisive

    def text(self, names: Iterable[str], *, decisive: bool = False, longest: int = 5_000) -> str | None:
        """Return the first of `names` as one line of text."""
        for key, value in self.given(names):
            text = plain(value)
            if text is not None and len(text) <= longest:
                return text
            self.wrong(key, value, f"text of at most {longest:,} characters", decisive=decisive)
        return None

    def moment(self, names: Iterable[str], *, decisive: bool = False) -> datetime | None:
        """Return the first of `names` as a moment in UTC; a yes-or-no among them is not a date."""
        for key, value in self.given(names):
            if squeezed(key) == "published" and truth(value) is not None:
                continue
            if squeezed(str(value)) in _NO_DATE:
                continue
            found = dates.parse(value, self._zone, self.order)
            if found:
                return found
            self.wrong(key, value, _expected_date(value), decisive=decisive)
        return None

    def names(self, names: Iterable[str], *, separator: str = ",") -> list[str]:
        """Return every name in the lists and separated strings under `names`, each once."""
        found: dict[str, str] = {}
        for key, value in self.given(names):
            for item in self.items(key, value, separator):
                found.setdefault(item.casefold(), item)
        return list(found.values())

    def items(self, key: str, value: Any, separator: str) -> list[str]:
        """Return the names in one value: a list, or a string with a separator (a pattern)."""
        if isinstance(value, str):
            found: list[str | None] = [joined(part) for part in re.split(separator, value)]
        else:
            found = [plain(item) for item in (value if isinstance(value, list) else [value])]
        if any(item is None or len(item) > LONGEST_NAME for item in found):
            self.wrong(key, value, f"[one, two], each of at most {LONGEST_NAME} characters")
        return [item for item in found if item and len(item) <= LONGEST_NAME]


@lru_cache(4_096)  # ten thousand articles have the same dozen keys
def squeezed(key: str) -> str:
    """Return a key as it is compared."""
    return re.sub(r"[-_ ]", "", key).lower()


def plain(value: Any) -> str | None:
    """Return a single value as one line of text; an author or a topic may be a table with a name."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "title", "slug", "path") if key in value), None)
    return joined(str(value)) if isinstance(value, (str, int, float, date, time)) else None


def joined(text: str) -> str:
    """Return `text` with every run of white space as one space."""
    return " ".join(text.split())


def truth(value: object) -> bool | None:
    """Return a yes-or-no as people write it, or None."""
    text = str(value).strip().lower()
    return True if text in _TRUE else False if text in _FALSE else None


def storable_as_json(value: Any) -> Any:
    """Return a value of any header as JSON can hold it."""
    if isinstance(value, dict):
        return {key: storable_as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable_as_json(item) for item in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _expected_date(value: object) -> str:
    form = "2025-05-30, or 2025-05-30 09:00 +0200"
    return f"{form} (or say date_order: {' or '.join(dates.Order)})" if dates.needs_order(value) else form


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a table of keys" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
