"""A call at one of the doors as a value, and the marks by which a caller shows who they are."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from blog.bounces.reading import naming
from blog.bounces.reports import Naming
from blog.delivery.handover import without_addresses


class Refused(Exception):
    """The caller has not shown who they are, or what they say cannot be read."""


class TooEarly(Exception):
    """It cannot be settled at this moment; nothing is stored, and the caller is to try again."""


@dataclass(frozen=True)
class Call:
    """What was posted, with its headers, and when."""

    body: bytes
    headers: Mapping[str, str]
    now: datetime

    def json(self) -> Any:
        """Return the body as JSON; raise `Refused` if it is none."""
        return decoded(self.body)

    def is_recent(self, timestamp: str, window: timedelta) -> bool:
        """Whether a number of seconds since 1970 lies within a window around now."""
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            return False
        return abs(self.now.timestamp() - int(timestamp)) <= window.total_seconds()


def decoded(text: bytes | str) -> Any:
    """Return a JSON document; raise `Refused` for anything else, however deeply nested."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("not JSON") from None


def fields(value: Any) -> dict[str, Any]:
    """Return a JSON object; an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def word(value: Any, key: str) -> str:
    """Return a string or a number of a JSON object as text; "" in the place of anything else."""
    found = fields(value).get(key)
    return str(found)[:2000] if isinstance(found, str | int) and not isinstance(found, bool) else ""


def is_signed(keys: Iterable[str], signed: bytes, given: str) -> bool:
    """Whether `given` is the HMAC-SHA256 of what was signed, in hexadecimal, with any of the keys."""
    wanted = (hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys)
    return any(hmac.compare_digest(each.encode(), given.encode()) for each in wanted)


def named(about: Any, address: str, message_id: str = "") -> Naming:
    """Return what a signed document names: our tags anywhere in it, a Message-ID, an address."""
    found = naming(json.dumps(about, ensure_ascii=False).encode())
    identifier = f"<{message_id.strip('<> ')}>" if message_id else ""
    return Naming(found.tags, (), (identifier,) if identifier else (), address)


def said(words: str) -> str:
    """Return the other side's words on one line and without addresses."""
    return without_addresses(words)[:400]
