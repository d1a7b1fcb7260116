"""The table of what came back, each bounce and each complaint once; it names nobody."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class ReturnedMail(Base):
    """One bounce or complaint. `key` names the mail and the kind: the same one twice finds itself here."""

    __tablename__ = "returned_mails"
    __table_args__ = (Index("ix_returned_mails_address_hash", "address_hash", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(16))
    door: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
