"""The tables of the subscribers room."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class Status(StrEnum):
    """Where a subscription stands, in the words that the outside sees."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"


class Cadence(StrEnum):
    """How often a subscriber wants to hear."""

    INSTANT = "instant"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Mail(StrEnum):
    """The kinds of single mail that this room causes; each has a folder of templates."""

    CONFIRM = "confirm"
    REMINDER = "reminder"
    ALREADY_SUBSCRIBED = "already_subscribed"
    WELCOME = "welcome"
    LEFT = "left"
    ACCOUNT = "account"
    MOVE = "move"
    MOVED = "moved"


class Subscriber(Base):
    """One address that was entered, with its choices.

    `topics` holds the followed topics' slugs, sorted and joined by commas; empty means all. `address` is what
    goes on the wire (domain as an A-label), `address_key` what makes two spellings the same address. Whoever
    asked to be erased leaves a row without address or choices, so that what was sent still adds up.
    """

    __tablename__ = "subscribers"
    __table_args__ = (
        Index("ix_subscribers_audience", "status", "cadence", "topics"),
        CheckConstraint(
            "status IN ('pending','active','unsubscribed','bounced','complained','erased')", name="status"
        ),
        CheckConstraint("cadence IN ('instant','daily','weekly','monthly')", name="cadence"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str] = mapped_column(String(320))
    address: Mapped[str] = mapped_column(String(320))
    address_key: Mapped[str] = mapped_column(String(320), unique=True)
    address_hash: Mapped[str] = mapped_column(String(64), index=True)
    status: Mapped[str] = mapped_column(String(16))
    cadence: Mapped[str] = mapped_column(String(16))
    topics: Mapped[str] = mapped_column(String(2000))
    timezone: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(35))
    nonce: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirm_mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    account_nonce: Mapped[str | None] = mapped_column(String(32))


class ConsentEvent(Base):
    """What was shown, when, from where and what was pressed; append-only, kept by a trigger."""

    __tablename__ = "consent_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"), index=True)
    event: Mapped[str] = mapped_column(String(32))
    method: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    wording: Mapped[str] = mapped_column(String(64))
    network: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class AddressChange(Base):
    """A wish to be mailed elsewhere: confirmed from the new mailbox, told to the old one, then forgotten."""

    __tablename__ = "address_changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"), index=True)
    nonce: Mapped[str] = mapped_column(String(32))
    old_address: Mapped[str] = mapped_column(String(320))
    email: Mapped[str] = mapped_column(String(320))
    address: Mapped[str] = mapped_column(String(320))
    address_key: Mapped[str] = mapped_column(String(320))
    address_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SignupCount(Base):
    """How often something was tried within one span of time; `key` is a keyed hash that names nobody."""

    __tablename__ = "signup_counts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    span: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True, index=True)
    tries: Mapped[int] = mapped_column(Integer)
