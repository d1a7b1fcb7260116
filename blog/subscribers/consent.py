"""The consent record: what was shown, when, from where, and what was pressed. Only ever added to."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from blog.subscribers.models import ConsentEvent

WORDING_VERSION = "1"


class Event(StrEnum):
    """What happened to a consent; `moved` is a change of address."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    MOVED = "moved"
    PAUSED = "paused"
    RESUMED = "resumed"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"
    IMPORTED = "imported"


class Method(StrEnum):
    """By what means."""

    FORM = "form"
    PAGE = "page"
    ONE_CLICK = "one-click"
    API = "api"
    MAIL = "mail"
    OPERATOR = "operator"
    IMPORT = "import"


@dataclass(frozen=True)
class Origin:
    """Where something was pressed: the truncated network, the page, and a hash of the text shown there."""

    network: str
    page: str = ""
    wording: str = ""


def network_of(address: str | None) -> str:
    """Return the network of an IP address, so wide (/24, /48) that it names no household; "" without one."""
    try:
        ip = ip_address(address or "")
    except ValueError:
        return ""
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return str(ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def wording_of(*texts: str) -> str:
    """Return a short fingerprint of the exact text that was shown, with the version of how it is made."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return f"{WORDING_VERSION}:{digest[:16]}"


def record(
    session: Session,
    subscriber_id: int,
    event: Event,
    method: Method,
    origin: Origin,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one event to a subscriber's record."""
    page = {"page": origin.page} if origin.page else {}
    row = {
        "subscriber_id": subscriber_id,
        "event": event,
        "method": method,
        "at": now,
        "wording": origin.wording,
        "network": origin.network,
        "details": {**(details or {}), **page},
    }
    session.connection().execute(_ADDING, row)


_ADDING = insert(ConsentEvent.__table__)  # type: ignore[arg-type]
