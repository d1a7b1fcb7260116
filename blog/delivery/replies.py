"""What is asked of a relay and what it answers, as values."""

import re
from dataclasses import dataclass
from typing import NamedTuple

_TRICKERY = re.compile(r"[<>\x00-\x20]")


class Reply(NamedTuple):
    """A complete reply: the code of its last line and the text of all of them."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(frozen=True)
class Lost:
    """The connection ended without an answer; `complete` says whether the final dot had left by then."""

    why: str
    complete: bool = False


@dataclass(frozen=True)
class Envelope:
    """From whom and to whom the next message goes, and its size in octets; trickery raises `ValueError`."""

    sender: str
    recipient: str
    size: int = 0

    def __post_init__(self) -> None:
        if _TRICKERY.search(self.sender) or _TRICKERY.search(self.recipient):
            raise ValueError("an address with a space, a bracket or a control character")


class Asked(NamedTuple):
    """The relay's answers to an envelope; `ready` means that it now waits for the content."""

    mail: Reply
    rcpt: Reply
    data: Reply

    @property
    def ready(self) -> bool:
        return self.rcpt.code // 100 == 2 and self.data.code == 354


class Exchange(NamedTuple):
    """The answers of one round: to the content of the last message, and to the envelope of the next."""

    content: Reply | Lost | None
    envelope: Asked | Lost | None


def refused(reply: Reply) -> Asked:
    """Return the answers of a relay that was not even asked about this recipient."""
    return Asked(Reply(250, "2.1.0 not asked"), reply, Reply(503, "5.5.1 not asked"))
