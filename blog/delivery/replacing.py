"""A mended text in the place of a frozen one, for whoever has not been handed the old one yet.

No delivery is touched: the claim takes the newest text, and the hand-over refuses one that has been replaced
since it was claimed. So it costs the same for ten deliveries and for a million, and is exact.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Table, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from blog.delivery.models import IS_IN_HAND, Delivery, DeliveryState, Replacement, Variant
from blog.delivery.states import HANDING_OVER


def replace(session: Session, by_old: Mapping[int, int], now: datetime) -> None:
    """Have each old variant (the key) replaced by a new one, and so whatever it had replaced itself."""
    for old, new in by_old.items():
        session.execute(update(Replacement).where(Replacement.by_id == old).values(by_id=new))
    session.execute(
        insert(Replacement), [{"variant_id": old, "by_id": new, "at": now} for old, new in by_old.items()]
    )


def current(session: Session, mailing_id: int) -> list[int]:
    """Return the variants of a mailing that have not been replaced."""
    replaced = exists().where(Replacement.variant_id == Variant.id)
    return list(
        session.scalars(
            select(Variant.id).where(Variant.mailing_id == mailing_id, ~replaced).order_by(Variant.id)
        )
    )


def newest(variant_id: ColumnElement[int]) -> ColumnElement[int]:
    """Return the expression for the text that a delivery with this variant is to get now."""
    by = select(Replacement.by_id).where(Replacement.variant_id == variant_id).scalar_subquery()
    return func.coalesce(by, variant_id)


def not_replaced(table: Table) -> ColumnElement[bool]:
    """Return the condition under which a delivery's text may still leave; one on its way is past asking."""
    replaced = exists().where(Replacement.variant_id == table.c.variant_id)
    return or_(table.c.state == HANDING_OVER.value, ~replaced)


def had_the_old(mailing_id: int) -> Select[int]:
    """Return the deliveries of a mailing that were, or may have been, taken with a text since replaced."""
    return (
        select(Delivery.id)
        .join(Replacement, Replacement.variant_id == Delivery.variant_id)
        .where(
            Delivery.mailing_id == mailing_id,
            Delivery.state.in_([DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN]),
        )
    )


def any_had_the_old(session: Session, mailing_id: int) -> bool:
    """Return whether anybody had, or may have had, a text since replaced."""
    return session.scalar(had_the_old(mailing_id).limit(1)) is not None


def on_their_way(session: Session, mailing_id: int) -> int:
    """Return how many deliveries are being handed over at this moment with a text since replaced."""
    counted = (
        select(func.count())
        .select_from(Delivery)
        .with_hint(Delivery, "INDEXED BY ix_deliveries_live", "sqlite")
        .join(Replacement, Replacement.variant_id == Delivery.variant_id)
        .where(Delivery.mailing_id == mailing_id, IS_IN_HAND, Delivery.state == HANDING_OVER)
    )
    return session.scalar(counted) or 0
