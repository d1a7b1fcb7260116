"""A finished mail taken apart for those who judge it: its bytes, its header fields, its two parts."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from functools import cached_property
from typing import cast

from blog.delivery.markup_read import Read, read


@dataclass(frozen=True)
class Opened:
    """A mail of which nothing is taken for granted."""

    raw: bytes

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Names and values as they stand in the bytes, folds included."""
        head = self.raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
        lines = re.split(r"\r\n(?![ \t])", head)
        return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    @cached_property
    def values(self) -> dict[str, str]:
        """The values by lower-case name; of a field that occurs twice the last."""
        return {name.lower(): value for name, value in self.fields}

    @cached_property
    def message(self) -> EmailMessage:
        """What Python's parser makes of it."""
        return message_from_bytes(self.raw, policy=policy.default)

    @cached_property
    def parts(self) -> list[EmailMessage]:
        """The parts of a mail that has some."""
        found = self.message.iter_parts() if self.message.is_multipart() else []
        return [cast(EmailMessage, part) for part in found]

    @property
    def is_list_mail(self) -> bool:
        """Whether it says that it is one of a list's."""
        return "list-unsubscribe" in self.values

    @cached_property
    def text(self) -> str:
        return self._content("text/plain")

    @cached_property
    def html(self) -> str:
        return self._content("text/html")

    @cached_property
    def page(self) -> Read:
        """The HTML part, read once."""
        return read(self.html)

    def _content(self, kind: str) -> str:
        part = next((part for part in self.parts if part.get_content_type() == kind), None)
        try:
            return str(part.get_content()).replace("\r\n", "\n") if part else ""
        except (MessageError, LookupError):
            return ""
