"""Return addresses that name the mail: a bounce that comes back to one says by itself what has bounced.

`bounces+d123-abcdefghijklmnop@example.org` belongs to delivery 123; the letters are a keyed mark (see
`blog/tokens.py`), so nobody can make one up, and they are the same in capitals. The header `X-Delivery` says
the same, for what comes back another way.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy.orm import Session

from blog.delivery.email import Email
from blog.delivery.models import OutboxMail
from blog.tokens import Purpose, Tokens

HEADER = "X-Delivery"
#: The right side of the header's identifier; no such host exists (RFC 2606).
NOWHERE = "mail.invalid"
_TAG = re.compile(r"(?<![a-z0-9])([ds])([1-9]\d{0,17})-([a-z2-7]{16})(?=@|=40)", re.IGNORECASE)

Render = Callable[[Session, OutboxMail], Email | None]


@dataclass(frozen=True)
class Tag:
    """What a return address names: a delivery or a single mail, by its number; `mark` is still unproven."""

    is_delivery: bool
    number: int
    mark: str


@dataclass(frozen=True)
class ReturnPath:
    """Makes return addresses from `bounces@example.org`, or `@bounces.example.org` where any name works.

    Where no such `address` is set there are none, and only the header says which mail it is.
    """

    tokens: Tokens
    address: str = ""

    def for_delivery(self, delivery_id: int) -> str:
        """Return where the bounces of a delivery go; "" where no address is set."""
        return self._address(self._delivery(delivery_id))

    def for_single(self, mail_id: int, to: str) -> str:
        """Return where the bounces of a single mail go; its mark is bound to the address it went to."""
        return self._address(self._single(mail_id, to))

    def header(self, delivery_id: int) -> bytes:
        """Return the header line by which a complaint, which often hides every address, names a delivery.

        Not by the link to unsubscribe: that is forwarded with the text, and would then do more than it says.
        """
        return f"{HEADER}: <{self._delivery(delivery_id)}@{NOWHERE}>\r\n".encode()

    def header_of_single(self, mail_id: int, to: str) -> dict[str, str]:
        """Return the same for a single mail."""
        return {HEADER: f"<{self._single(mail_id, to)}@{NOWHERE}>"}

    def _delivery(self, number: int) -> str:
        return f"d{number}-{_mark(self.tokens, f'd{number}')}"

    def _single(self, number: int, to: str) -> str:
        return f"s{number}-{_mark(self.tokens, single(number, to))}"

    def _address(self, tag: str) -> str:
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{tag}@{domain}" if local else f"{tag}@{domain}" if domain else ""


@lru_cache(maxsize=64)
def _mark(tokens: Tokens, subject: str) -> str:
    """Return the mark of a mail; the address and the header of one want it in turn."""
    return tokens.mark(Purpose.RETURN, subject)


def single(mail_id: int, to: str) -> str:
    """Return what the mark of a single mail stands for: whoever has moved is not what bounces there."""
    return f"s{mail_id} {to}"


def tags(text: str) -> list[Tag]:
    """Return what looks like the tag of a return address in a text, in its order, each once."""
    found = (Tag(kind.lower() == "d", int(number), mark.lower()) for kind, number, mark in _TAG.findall(text))
    return list(dict.fromkeys(found))


def returning(render: Render, path: ReturnPath) -> Render:
    """Return what makes single mails whose bounces come back to addresses of their own."""

    def rendered(session: Session, mail: OutboxMail) -> Email | None:
        email = render(session, mail)
        if email is None:
            return None
        headers = email.headers | path.header_of_single(mail.id, email.to)
        return replace(email, return_path=path.for_single(mail.id, email.to), headers=headers)

    return rendered
