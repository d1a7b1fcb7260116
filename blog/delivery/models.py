"""The tables of the delivery room.

A *mailing* is one message sent to many (a digest issue is one); a *variant* its frozen bytes for one set of
articles; a *delivery* one mailing for one recipient. The recipient is an opaque number: this room does not
know subscribers, only addresses.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class MailingState(StrEnum):
    """Where a mailing stands; only a *sending* one is worked on."""

    PLANNING = "planning"
    PLANNED = "planned"
    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class DeliveryState(StrEnum):
    """Where a delivery stands; see `TRANSITIONS` in the ledger for what may follow what."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    HANDING_OVER = "handing_over"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    SKIPPED = "skipped"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNCERTAIN = "uncertain"

    #: The same number, without the way through Python that an enumeration's own takes for each message.
    __hash__ = str.__hash__


class Mailing(Base):
    """One message to many recipients; with `first_to` it goes no further than that delivery for now.

    `recipients` is how many deliveries it has: set once when all are planned, since none comes or goes after.
    """

    __tablename__ = "mailings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    envelope_from: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_to: Mapped[int | None] = mapped_column(BigId)
    recipients: Mapped[int | None] = mapped_column(Integer)


class Variant(Base):
    """The frozen bytes of a mailing for one set of articles: NUL-delimited text and recipient holes."""

    __tablename__ = "variants"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id"), index=True)
    key: Mapped[str] = mapped_column(String(64))
    template: Mapped[bytes] = mapped_column(LargeBinary)


class Replacement(Base):
    """A variant that has been mended: whoever has not had the old text gets the new one."""

    __tablename__ = "replacements"

    variant_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("variants.id"), primary_key=True, autoincrement=False
    )
    by_id: Mapped[int] = mapped_column(BigId, ForeignKey("variants.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Delivery(Base):
    """One mailing for one recipient: the row is the truth about whether it was sent."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("uq_deliveries_mailing_id_recipient_id", "mailing_id", "recipient_id", unique=True),
        Index(
            "ix_deliveries_due",
            "mailing_id",
            "next_at",
            "id",
            sqlite_where=text("state IN ('planned', 'deferred')"),
            postgresql_where=text("state IN ('planned', 'deferred')"),
        ),
        Index(
            "ix_deliveries_live",
            "slot",
            "lease_until",
            sqlite_where=text("state IN ('claimed', 'handing_over')"),
            postgresql_where=text("state IN ('claimed', 'handing_over')"),
        ),
        Index(
            "ix_deliveries_unusual",
            "mailing_id",
            "recipient_id",
            "state",
            sqlite_where=text("state IN ('deferred', 'skipped', 'bounced', 'failed', 'uncertain')"),
            postgresql_where=text("state IN ('deferred', 'skipped', 'bounced', 'failed', 'uncertain')"),
        ),
        Index("ix_deliveries_recipient_id", "recipient_id"),
        CheckConstraint(
            "state IN ('planned','claimed','handing_over','deferred','accepted','skipped','bounced','failed',"
            "'uncertain')",
            name="state",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    recipient_id: Mapped[int] = mapped_column(BigId)
    public_id: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(320))
    address_hash: Mapped[str] = mapped_column(String(64))
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    unknowns: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    owner: Mapped[str | None] = mapped_column(String(128))
    slot: Mapped[str | None] = mapped_column(String(96))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reply: Mapped[str | None] = mapped_column(String(500))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Tally(Base):
    """How many more deliveries of a mailing are in a state than when all were planned; see `tallies`.

    The sum over all parts counts. There is none for what is in hand, nor for what was accepted.
    """

    __tablename__ = "tallies"

    mailing_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16), primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer)


class DeliveryEvent(Base):
    """What happened to a mailing (no delivery named) or to one delivery on its way, besides its last state.

    The usual way, planned and accepted, writes none: the delivery's own row says that.
    """

    __tablename__ = "delivery_events"
    __table_args__ = (Index("ix_delivery_events_mailing_id", "mailing_id", "delivery_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id"))
    delivery_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    event: Mapped[str] = mapped_column(String(32))
    words: Mapped[str] = mapped_column(String(500))


#: In words: SQLite uses a partial index only where the condition is the index's own, not a bound value.
IS_WAITING = text("deliveries.state IN ('planned', 'deferred')")
IS_IN_HAND = text("deliveries.state IN ('claimed', 'handing_over')")
IS_UNUSUAL = text("deliveries.state IN ('deferred', 'skipped', 'bounced', 'failed', 'uncertain')")
IS_TO_BE_SENT = text("outbox.state IN ('pending', 'claimed')")


class Pace(Base):
    """How fast mail may go to one place now: a bucket, and what its server has taught us by refusing."""

    __tablename__ = "paces"

    place: Mapped[str] = mapped_column(String(300), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    planned_to: Mapped[datetime | None] = mapped_column(UTCDateTime)
    per_second: Mapped[float | None] = mapped_column(Float)
    blocked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refusals: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    refused_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    words: Mapped[str] = mapped_column(String(500), server_default="")


class MailingHealth(Base):
    """How a mailing does since somebody last let it go on, and the share of it that goes first."""

    __tablename__ = "mailing_health"

    mailing_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("mailings.id"), primary_key=True, autoincrement=False
    )
    bounced: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    complained: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    settled_before: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    look_at: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    canary_to: Mapped[int | None] = mapped_column(BigId)
    canary_since: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Suppression(Base):
    """An address that is not to be mailed, under its keyed hash; the claim and the audience read it."""

    __tablename__ = "suppressions"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OutboxState(StrEnum):
    """Where a single mail stands."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"


class OutboxMail(Base):
    """A single mail to be made and sent: what kind and about whom, never its text or address."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "next_at",
            sqlite_where=text("state IN ('pending', 'claimed')"),
            postgresql_where=text("state IN ('pending', 'claimed')"),
        ),
        Index("ix_outbox_subject_id", "subject_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(BigId)
    dedup_key: Mapped[str] = mapped_column(String(128), unique=True)
    message_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    owner: Mapped[str | None] = mapped_column(String(128))
    slot: Mapped[str | None] = mapped_column(String(96))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reply: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
