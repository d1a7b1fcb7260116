"""Return addresses that name the mail: a bounce that comes back to one says by itself what has bounced.

`bounces+d123-abcdefghijklmnop@example.org` belongs to delivery 123; the letters are a keyed mark (see
`blog/tokens.py`), so nobody can make one up. What is lower case stays valid when a mail program changes that.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from blog.delivery.email import Email
from blog.delivery.models import OutboxMail
from blog.tokens import Purpose, Tokens

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
    """Makes return addresses from `bounces@example.org`, or `@bounces.example.org` where any name works."""

    address: str
    tokens: Tokens

    def for_delivery(self, delivery_id: int) -> str:
        """Return where the bounces of a delivery go."""
        return self._tagged(f"d{delivery_id}", self.tokens.mark(Purpose.RETURN, f"d{delivery_id}"))

    def for_single(self, mail_id: int, to: str) -> str:
        """Return where the bounces of a single mail go; its mark is bound to the address it went to."""
        return self._tagged(f"s{mail_id}", self.tokens.mark(Purpose.RETURN, single(mail_id, to)))

    def _tagged(self, name: str, mark: str) -> str:
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{name}-{mark}@{domain}" if local else f"{name}-{mark}@{domain}"


def single(mail_id: int, to: str) -> str:
    """Return what the mark of a single mail stands for: whoever has moved is not what bounces there."""
    return f"s{mail_id} {to}"


def tags(text: str) -> list[Tag]:
    """Return what looks like the tag of a return address in a text, in its order, each once."""
    found = (Tag(kind.lower() == "d", int(number), mark.lower()) for kind, number, mark in _TAG.findall(text))
    return list(dict.fromkeys(found))


def returning(render: Render, path: ReturnPath | None) -> Render:
    """Return what makes single mails whose bounces come back to addresses of their own."""

    def rendered(session: Session, mail: OutboxMail) -> Email | None:
        email = render(session, mail)
        if email is None or path is None:
            return email
        return replace(email, return_path=path.for_single(mail.id, email.to))

    return rendered
