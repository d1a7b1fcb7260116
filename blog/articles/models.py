"""The tables of the published index; all of it can be rebuilt from the files, except `live_at`."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from blog.db import Base, BigId, UTCDateTime

#: What keeps an article from readers at any time.
WITHHELD = "status <> 'published' OR live_at IS NULL OR removed_at IS NOT NULL"


class ArticleStatus(StrEnum):
    """What the file says of itself; whether it is live also depends on its dates."""

    PUBLISHED = "published"
    DRAFT = "draft"
    HIDDEN = "hidden"


class Article(Base):
    """One article as last read from its file, rendered.

    `content_hash` is of the file, `rendered_hash` of what was made of it, which other files have a part in.
    `live_at` is when readers could first see it here; it is fixed then, so that a changed date, a rename or
    a re-import never makes an old article new to a digest. `removed_at` is set when the file is gone.
    """

    __tablename__ = "articles"
    #: All that says whether an article is live, without its row: in SQLite that lies behind the whole text.
    __table_args__ = (
        Index("ix_articles_live", "id", "status", "published_at", "live_at", "expires_at", "removed_at"),
        Index("ix_articles_series", "series"),
        Index(
            "ix_articles_withheld",
            "id",
            "status",
            "live_at",
            "removed_at",
            sqlite_where=text(WITHHELD),
            postgresql_where=text(WITHHELD),
        ),
        Index(
            "ix_articles_expires_at",
            "expires_at",
            sqlite_where=text("expires_at IS NOT NULL"),
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slug: Mapped[str] = mapped_column(String(200), unique=True)
    source: Mapped[str] = mapped_column(String(500))
    content_hash: Mapped[str] = mapped_column(String(64))
    rendered_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    contents: Mapped[list[Any]] = mapped_column(JSON)
    headings: Mapped[list[Any]] = mapped_column(JSON)
    authors: Mapped[list[Any]] = mapped_column(JSON)
    series: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(35))
    pinned: Mapped[list[Any]] = mapped_column(JSON)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON)
    words: Mapped[int] = mapped_column(Integer)
    minutes: Mapped[int] = mapped_column(Integer)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    updated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    live_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    topics: Mapped[list["ArticleTopic"]] = relationship(
        order_by="ArticleTopic.position", cascade="all, delete-orphan", lazy="selectin"
    )


class ArticleTopic(Base):
    """A topic of an article; position 0 is the primary one."""

    __tablename__ = "article_topics"
    __table_args__ = (Index("ix_article_topics_topic", "topic"),)

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)


class RelatedArticle(Base):
    """One of the articles shown under another, best first, with the line that says why."""

    __tablename__ = "related_articles"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    related_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    score: Mapped[float] = mapped_column(Float)
    reason: Mapped[str] = mapped_column(Text)


class Redirect(Base):
    """An old path of an article: an alias from its file, or a slug it once had."""

    __tablename__ = "redirects"

    path: Mapped[str] = mapped_column(String(500), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), index=True)


class Page(Base):
    """A standing page from `content/pages`."""

    __tablename__ = "pages"

    slug: Mapped[str] = mapped_column(String(200), primary_key=True)
    source: Mapped[str] = mapped_column(String(500))
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)


class ContentVersion(Base):
    """The one row that changes whenever anything published changes; pages and caches key on it.

    `related_to` is the version that the related articles were worked out for.
    """

    __tablename__ = "content_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    related_to: Mapped[str] = mapped_column(String(64))
    synced_at: Mapped[datetime] = mapped_column(UTCDateTime)


class FirstName(Base):
    """What feeds call an article whose address or year has changed since."""

    __tablename__ = "first_names"
    __table_args__ = (UniqueConstraint("slug", "year"),)

    article_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    year: Mapped[int] = mapped_column(Integer)
    slug: Mapped[str] = mapped_column(String(220))


class SearchText(Base):
    """An article as search reads it: folded words, a space between two; `made_from` says of which rendering.

    `title` is in `keys`, and both are in `body`. The index over the three columns is in the migrations.
    `pairs` is where the release before had what `SearchPairs` holds; it is left empty.
    """

    __tablename__ = "search_texts"

    article_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    made_from: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(Text)
    keys: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    pairs: Mapped[bytes | None] = mapped_column(LargeBinary)


class SearchPairs(Base):
    """Pictures of the pairs of words in a text's fields, which only PostgreSQL has a use for: see `pairs`.

    By themselves, for a search looks at the row of each text that has its words, and mostly wants no picture.
    """

    __tablename__ = "search_pairs"

    article_id: Mapped[int] = mapped_column(
        BigId,
        ForeignKey("search_texts.article_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    keys: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class SearchWord(Base):
    """A word, and how many articles have it, those that nobody can read yet included."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(
        Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True
    )
    articles: Mapped[int] = mapped_column(Integer)
