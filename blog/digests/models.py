"""The tables of the digests room."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class Issue(Base):
    """One digest, planned once; it shares its number with the mailing that carries it.

    `web_html` is the frozen web view: what was sent is kept as it was sent. While `in_review` nobody outside
    sees it; `opened_at` is when that ended, where it was not open from the start. `note` is a file.
    `language` is what title and web view speak; empty in issues that are older than the choice: the site's.
    """

    __tablename__ = "issues"

    id: Mapped[int] = mapped_column(ForeignKey("mailings.id"), primary_key=True, autoincrement=False)
    cadence: Mapped[str] = mapped_column(String(16))
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    cutoff_at: Mapped[datetime] = mapped_column(UTCDateTime)
    web_html: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    in_review: Mapped[bool] = mapped_column(Boolean, server_default=false(), default=False)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    note: Mapped[str | None] = mapped_column(String(500))
    language: Mapped[str] = mapped_column(String(35), server_default="", default="")


class IssueArticle(Base):
    """An article that an issue carried in at least one variant."""

    __tablename__ = "issue_articles"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)


class EditionRow(Base):
    """Which articles a variant holds, in their order, and in which language (empty: the site's).

    `more` articles were left out for length.
    """

    __tablename__ = "editions"

    variant_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("variants.id"), primary_key=True, autoincrement=False
    )
    articles: Mapped[list[Any]] = mapped_column(JSON)
    more: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(String(35), server_default="", default="")


class Plan(Base):
    """An issue whose deliveries are being written, piece by piece, by whoever gets to it; gone when done.

    `done_to` is the last subscriber looked at, `last_id` the last there was when the plan was begun.
    """

    __tablename__ = "plans"

    issue_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("issues.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    domain: Mapped[str] = mapped_column(String(255))
    review: Mapped[bool] = mapped_column(Boolean)
    done_to: Mapped[int] = mapped_column(BigId)
    last_id: Mapped[int] = mapped_column(BigId)
    eligible: Mapped[int] = mapped_column(Integer)


class PlanZone(Base):
    """When the deliveries of a plan fall due for readers in a zone, where their own clocks decide."""

    __tablename__ = "plan_zones"

    issue_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("issues.id"), primary_key=True, autoincrement=False
    )
    timezone: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)


class PlanGroup(Base):
    """Which variant a group of subscribers gets: those who follow `topics` and had `last_issue` (0: none).

    With a `language` it is those of them who chose it; empty, it is all of them.
    """

    __tablename__ = "plan_groups"

    issue_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("issues.id"), primary_key=True, autoincrement=False
    )
    topics: Mapped[str] = mapped_column(String(2000), primary_key=True)
    last_issue: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    language: Mapped[str] = mapped_column(String(35), primary_key=True, server_default="", default="")
    variant_id: Mapped[int] = mapped_column(BigId, ForeignKey("variants.id"))


class Correction(Base):
    """That an issue was corrected: when, what was wrong, and its web view from then on, frozen too.

    `erratum_id` is the mailing that tells those who had the old text.
    """

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    issue_id: Mapped[int] = mapped_column(BigId, ForeignKey("issues.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    note: Mapped[str] = mapped_column(Text)
    web_html: Mapped[str] = mapped_column(Text)
    erratum_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("mailings.id"))


class ScheduleRun(Base):
    """A period of a cadence whose digest has been planned (or found empty): it is never planned again."""

    __tablename__ = "schedule_runs"

    cadence: Mapped[str] = mapped_column(String(16), primary_key=True)
    period: Mapped[str] = mapped_column(String(32), primary_key=True)
    ran_at: Mapped[datetime] = mapped_column(UTCDateTime)
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id"))


class LastIssue(Base):
    """The last issue that a recipient had or may have had, of those that have been put away."""

    __tablename__ = "last_issues"

    recipient_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    issue_id: Mapped[int] = mapped_column(BigId)


class PutAway(Base):
    """A finished issue whose recipients are being entered into `last_issues`, piece by piece.

    `as_of` is when it had been finished then: once it goes on and finishes anew, it is put away anew.
    """

    __tablename__ = "put_away"

    issue_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("issues.id"), primary_key=True, autoincrement=False
    )
    as_of: Mapped[datetime] = mapped_column(UTCDateTime)
    done_to: Mapped[int] = mapped_column(BigId)
    complete: Mapped[bool] = mapped_column(Boolean)
