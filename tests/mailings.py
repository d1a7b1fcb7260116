"""Makes mailings for tests of the delivery room: rows as a digest's planning would leave them."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import String, literal, select, union_all
from sqlalchemy.orm import Session

from blog.delivery import balance, ledger
from blog.delivery.models import Delivery

DOMAIN = "news.example.org"
#: What these mailings say is no mail of the product's, and is not judged as one.
BODY = b"\r\n\r\nHello\r\n. a line with a dot\r\n"
TEMPLATE = (
    b"From: News <news@example.org>\r\nTo: \0to\0\r\nMessage-ID: \0message_id\0\r\n"
    b"Subject: Hello" + BODY.replace(b"\n.", b"\n..")
)


def address_of(number: int) -> str:
    return f"reader{number}@example.org"


def make_mailing(
    session: Session, recipients: int | Iterable[str], now: datetime, template: bytes = TEMPLATE
) -> int:
    """Plan a mailing for so many invented readers, or for the given addresses; return its number."""
    addresses = (
        [address_of(n) for n in range(recipients)] if isinstance(recipients, int) else list(recipients)
    )
    mailing = ledger.open_mailing(session, "digest", "bounces@example.org", now)
    variant = ledger.add_variant(session, mailing, "all", template)
    for start in range(0, len(addresses), 100):
        rows = [
            select(
                literal(start + i),
                literal(f"{start + i:032x}", String),
                literal(address, String),
                literal(hash_of(address), String),
                literal(variant),
                literal(now, Delivery.next_at.type),
            )
            for i, address in enumerate(addresses[start : start + 100])
        ]
        columns = union_all(*rows).subquery()
        ledger.plan(session, mailing, select(*columns.c), DOMAIN, now)
    balance.complete(session, mailing, len(addresses))
    return mailing


def hash_of(address: str) -> str:
    """Stand in for the keyed hash of an address."""
    return f"{address:>64}"[-64:]
