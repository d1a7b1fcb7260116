"""A bounce or a complaint as a value: what it says, and by what it names the mail it is about."""

from dataclasses import dataclass, field
from enum import StrEnum

from blog.delivery.verp import Tag


class Kind(StrEnum):
    """What a report is, and with it what follows.

    *Hard*: there is no such mailbox. *Full*, *soft* (not reached for days) and *unsure* (no reason) are
    counted. *Ours*: refused for what the mail is or where it comes from, so nothing follows for anybody.
    """

    HARD = "hard"
    FULL = "full"
    SOFT = "soft"
    UNSURE = "unsure"
    OURS = "ours"
    COMPLAINT = "complaint"


class Door(StrEnum):
    """The way a report came in."""

    COMMAND = "command"
    MAILBOX = "mailbox"
    RELAY = "relay"
    SES = "ses"
    POSTMARK = "postmark"
    MAILGUN = "mailgun"
    SENDGRID = "sendgrid"
    SIGNED = "signed"


@dataclass(frozen=True)
class Naming:
    """By what a report names its mail.

    `tags` prove themselves. Anybody could write a Message-ID, a link to unsubscribe or an address: the first
    counts together with the second, which proves itself too, and alone at a door that knows who is calling.
    """

    tags: tuple[Tag, ...] = ()
    links: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class Report:
    """One bounce or complaint; `words` are the other side's, on one line and without addresses."""

    kind: Kind
    naming: Naming
    code: str = ""
    words: str = ""


@dataclass
class Tally:
    """What became of a number of messages: how many were read, and what the reports in them led to."""

    messages: int = 0
    no_report: int = 0
    applied: int = 0
    repeated: int = 0
    unknown: int = 0
    later: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
