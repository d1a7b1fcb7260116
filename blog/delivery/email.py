"""A mail as a value: what is said to whom, before it becomes bytes."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Email:
    """One mail to one recipient.

    `to` is the address on the wire, `sender` a mailbox such as `Name <address>`, `message_id` has its angle
    brackets; `headers` adds to the usual ones and may name only what `headers.py` allows; bounces go to
    `return_path`, or to the sender where it is empty.
    """

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    sender: str
    headers: dict[str, str] = field(default_factory=dict)
    return_path: str = ""
