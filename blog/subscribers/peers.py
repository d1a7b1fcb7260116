"""The lists other programs write, told apart by their header line, each line put into our own words.

Whoever a list calls anything but a reader who agreed is never taken for one: a word that is not known here
makes the line a bad one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from blog.subscribers.models import Status

Row = Mapping[str, str]

#: What a spreadsheet takes for the beginning of a formula; full-width forms are taken for it as well.
FORMULA = "=+-@\t\r\n\0＝＋－＠"
NEVER_AGREED = "this list holds no time at which this person agreed"

_YES, _NO = {"true", "1", "yes"}, {"false", "0", "no"}
_BUTTONDOWN = {
    **dict.fromkeys(
        ("regular", "premium", "gifted", "trialed", "churning", "churned", "past_due", "unpaid"),
        Status.ACTIVE,
    ),
    **dict.fromkeys(("unactivated", "upcoming"), Status.PENDING),
    **dict.fromkeys(
        ("unsubscribed", "removed", "paused", "disabled", "blocked", "malicious", "throttled"),
        Status.UNSUBSCRIBED,
    ),
    "undeliverable": Status.BOUNCED,
    "complained": Status.COMPLAINED,
    "spammy": Status.COMPLAINED,
}
_LISTMONK = {
    "enabled": Status.ACTIVE,
    "disabled": Status.UNSUBSCRIBED,
    "blocklisted": Status.UNSUBSCRIBED,
    "unconfirmed": Status.PENDING,
}


@dataclass(frozen=True)
class Entry:
    """One line in our words, its values still unchecked; `own` are the columns that only our lists have."""

    email: str
    status: Status = Status.ACTIVE
    confirmed_at: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()
    own: Row = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """A kind of list: the sets of columns it is known by, and how a line of it is read."""

    name: str
    known_by: tuple[frozenset[str], ...]
    read: Callable[[Row], Entry]


def recognise(columns: Iterable[str]) -> Peer | None:
    """Return the kind of list that has these columns; None if there is not even an address among them."""
    found = {column.strip().lower() for column in columns}
    return next((peer for peer in PEERS if any(marks <= found for marks in peer.known_by)), None)


def named(name: str) -> Peer:
    """Return a kind of list by its name."""
    return next(peer for peer in PEERS if peer.name == name)


def guarded(value: str) -> str:
    """Return a value as no spreadsheet takes it for a formula (ASVS 1.2.10); `unguarded` undoes it."""
    return f"'{value}" if value.lstrip("'")[:1] in _FORMULAS else value


def unguarded(value: str) -> str:
    """Return a value as it was before `guarded`."""
    return value[1:] if value[:1] == "'" and value.lstrip("'")[:1] in _FORMULAS else value


_FORMULAS = frozenset(FORMULA)


def _ours(row: Row) -> Entry:
    return _plain({name: unguarded(value) for name, value in row.items()})


def _plain(row: Row) -> Entry:
    status = row.get("status", "").lower() or Status.ACTIVE
    if status not in set(Status):
        raise ValueError(f"unknown status; write one of {', '.join(Status)}")
    return Entry(
        row.get("email", ""), Status(status), row.get("confirmed_at", ""), row.get("timezone", ""), own=row
    )


def _mailchimp(row: Row) -> Entry:
    agreed = row.get("confirm_time") or row.get("optin_time", "")
    status = Status.ACTIVE
    if row.get("unsub_time") or row.get("unsub_reason"):
        complained = re.search(r"abuse|spam", row.get("unsub_reason", ""), re.IGNORECASE)
        status = Status.COMPLAINED if complained else Status.UNSUBSCRIBED
    elif row.get("clean_time"):
        status = Status.BOUNCED
    elif not agreed:
        raise ValueError(NEVER_AGREED)
    return Entry(row["email address"], status, agreed, row.get("timezone", ""), _tags(row.get("tags", "")))


def _substack(row: Row) -> Entry:
    status = Status.UNSUBSCRIBED if _is_true(row, "email_disabled") else Status.ACTIVE
    return Entry(row["email"], status, row.get("created_at", ""))


def _ghost(row: Row) -> Entry:
    mailed = _is_true(row, "subscribed_to_emails") and not row.get("deleted_at")
    status = Status.ACTIVE if mailed else Status.UNSUBSCRIBED
    return Entry(row["email"], status, row.get("created_at", ""), tags=_tags(row.get("labels", "")))


def _buttondown(row: Row) -> Entry:
    status = _status(_BUTTONDOWN, row.get("subscriber_type") or row.get("type", ""))
    email = row.get("email_address") or row.get("email", "")
    return Entry(email, status, row.get("creation_date", ""), tags=_tags(row.get("tags", "")))


def _listmonk(row: Row) -> Entry:
    return Entry(row["email"], _status(_LISTMONK, row["status"]), row.get("created_at", ""))


def _status(words: Mapping[str, Status], word: str) -> Status:
    status = words.get(word.strip().lower())
    if status is None:
        raise ValueError("a state of that program that is not known here; remove the line, or ask the person")
    return status


def _is_true(row: Row, column: str) -> bool:
    value = row.get(column, "").lower()
    if value not in _YES | _NO:
        raise ValueError(f"{column} is neither true nor false")
    return value in _YES


def _tags(value: str) -> tuple[str, ...]:
    """Return the tags of a cell, whether it holds a list with commas, one with quotes, or JSON."""
    found = (tag.strip(" \t'\"[]") for tag in re.split(r"[,;]", value))
    return tuple(tag for tag in found if tag)


def _marks(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(columns.split(",")) for columns in sets)


#: The first that fits: those with the most telling columns come first.
PEERS = (
    Peer("blog", _marks("email,status,consent,address_hash"), _ours),
    Peer(
        "mailchimp",
        _marks(*(f"email address,{mark}" for mark in ("optin_time", "unsub_time", "clean_time", "euid"))),
        _mailchimp,
    ),
    Peer("substack", _marks("email,active_subscription,email_disabled"), _substack),
    Peer("ghost", _marks("email,subscribed_to_emails"), _ghost),
    Peer(
        "buttondown",
        _marks("email_address,type", "email_address,subscriber_type", "email,subscriber_type"),
        _buttondown,
    ),
    Peer("listmonk", _marks("uuid,email,status,attributes"), _listmonk),
    Peer("plain", _marks("email"), _plain),
)
