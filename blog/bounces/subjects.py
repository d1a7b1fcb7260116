"""Which mail a report is about: what it names, proven by a key of ours, or believed at a signed door."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.bounces.reports import Naming
from blog.delivery import addresses, verp
from blog.delivery.addresses import BadAddress
from blog.delivery.models import Delivery, DeliveryState, OutboxMail
from blog.delivery.verp import Tag
from blog.subscribers import directory
from blog.subscribers.models import AddressChange, Mail, Subscriber
from blog.tokens import BadToken, Purpose, Tokens

_GONE = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN, DeliveryState.BOUNCED, DeliveryState.FAILED)


@dataclass(frozen=True)
class Subject:
    """The mail that a report is about. `link` is the token it was named by, if it has no mark of ours."""

    name: str
    address_hash: str
    sent_at: datetime | None
    delivery: Delivery | None = None
    single: OutboxMail | None = None
    link: str = ""


def find(session: Session, tokens: Tokens, naming: Naming, believed: bool) -> Subject | None:
    """Return what a report is about; None if nothing it names is proven, or `believed` and there."""
    for tag in naming.tags:
        found = _by_delivery_tag(session, tokens, tag) if tag.is_delivery else _by_tag(session, tokens, tag)
        if found:
            return found
    found = _by_link(session, tokens, naming)
    if found or not believed:
        return found
    return _by_message_id(session, tokens, naming) or _by_address(session, tokens, naming.address)


def _by_delivery_tag(session: Session, tokens: Tokens, tag: Tag) -> Subject | None:
    if not tokens.is_mark(Purpose.RETURN, f"d{tag.number}", tag.mark):
        return None
    delivery = session.get(Delivery, tag.number)
    return of_delivery(delivery) if delivery else None


def _by_tag(session: Session, tokens: Tokens, tag: Tag) -> Subject | None:
    mail = session.get(OutboxMail, tag.number)
    for address in _addressees(session, mail) if mail else ():
        if mail and tokens.is_mark(Purpose.RETURN, verp.single(mail.id, address), tag.mark):
            return _of_single(tokens, mail, address)
    return None


def _by_link(session: Session, tokens: Tokens, naming: Naming) -> Subject | None:
    """Return the delivery that both a link to unsubscribe and a Message-ID in the returned mail name."""
    for link in naming.links:
        try:
            public_id = tokens.read_capability(Purpose.UNSUBSCRIBE, link)
        except BadToken:
            continue
        delivery = session.scalar(
            select(Delivery).where(
                Delivery.message_id.in_(naming.message_ids), Delivery.public_id == public_id
            )
        )
        if delivery:
            return of_delivery(delivery, link)
    return None


def _by_message_id(session: Session, tokens: Tokens, naming: Naming) -> Subject | None:
    if not naming.message_ids:
        return None
    delivery = session.scalar(select(Delivery).where(Delivery.message_id.in_(naming.message_ids)).limit(1))
    if delivery:
        return of_delivery(delivery)
    wanted = select(OutboxMail).where(OutboxMail.message_id.in_(naming.message_ids)).limit(1)
    mail = session.scalar(wanted)
    for address in _addressees(session, mail) if mail else ():
        if mail and address.casefold() == naming.address.casefold():
            return _of_single(tokens, mail, address)
    return None


def _by_address(session: Session, tokens: Tokens, address: str) -> Subject | None:
    """Return the last mail to an address: some providers put their own Message-ID in the place of ours."""
    try:
        key = addresses.parse(address).key
    except BadAddress:
        return None
    person = directory.by_key(session, key)
    if person is None:
        return None
    address_hash = tokens.address_hash(key)
    sent = select(Delivery).where(
        Delivery.recipient_id == person.id,
        Delivery.address_hash == address_hash,
        Delivery.state.in_(_GONE),
    )
    delivery = session.scalar(sent.order_by(Delivery.id.desc()).limit(1))
    if delivery:
        return of_delivery(delivery)
    return Subject(f"p{person.public_id}", address_hash, None)


def of_delivery(delivery: Delivery, link: str = "") -> Subject:
    """Return a delivery as what a report is about."""
    return Subject(f"d{delivery.id}", delivery.address_hash, delivery.updated_at, delivery, link=link)


def _of_single(tokens: Tokens, mail: OutboxMail, address: str) -> Subject:
    hashed = tokens.address_hash(addresses.parse(address).key)
    return Subject(f"s{mail.id}", hashed, mail.sent_at or mail.created_at, single=mail)


def _addressees(session: Session, mail: OutboxMail) -> Iterator[str]:
    """Return where a single mail may have gone, as things are now; a mark tells whether it did."""
    if mail.kind in (Mail.MOVE, Mail.MOVED):
        change = session.get(AddressChange, mail.subject_id)
        yield from (change.address, change.old_address) if change else ()
        return
    person = session.get(Subscriber, mail.subject_id)
    if person and person.address:
        yield person.address
