"""Content values for tests, made by plain functions: only what a test cares about has to be said."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from blog.articles.relating import relate
from blog.articles.sync import Changes, sync
from blog.content.values import ArticleFile, Body, Library, PageFile, Prose, Site
from blog.db import Database

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BEFORE = datetime(2026, 5, 1, tzinfo=UTC)


def article_file(slug: str = "a", text: str = "", **overrides: Any) -> ArticleFile:
    """Return an article as the content folder would give it; the same text has the same fingerprint."""
    values: dict[str, Any] = {
        "slug": slug,
        "source": f"articles/{slug}.md",
        "content_hash": hashlib.sha256(f"{text or slug}{sorted(overrides.items())}".encode()).hexdigest(),
        "status": "published",
        "title": slug.replace("-", " ").capitalize(),
        "description": "",
        "excerpt": text[:180],
        "authors": [],
        "series": None,
        "language": "en",
        "pinned": [],
        "topics": [],
        "topic_names": {},
        "words": len(text.split()),
        "minutes": 1,
        "published_at": BEFORE,
        "updated_at": None,
        "expires_at": None,
        "aliases": [],
        "links": [],
        "extra": {},
    }
    long = {name: overrides.pop(name) for name in ("html", "contents", "headings") if name in overrides}
    values["body"] = body(long.pop("html", f"<p>{text or slug}</p>"), text, **long)
    return ArticleFile(**(values | overrides))


def body(html: str, text: str = "", **overrides: Any) -> Body:
    """Return the long part of an article."""
    prose = Prose(**({"html": html, "text": text, "contents": [], "headings": []} | overrides))
    return Body(repr(prose), lambda: prose)


def library(*articles: ArticleFile, pages: Sequence[PageFile] = (), failed: Collection[str] = ()) -> Library:
    """Return a library of these articles."""
    return Library(Site(), list(articles), list(pages), [], frozenset(failed))


def synced(
    database: Database,
    *articles: ArticleFile,
    now: datetime = NOW,
    pages: Sequence[PageFile] = (),
    failed: Collection[str] = (),
) -> Changes:
    """Sync a library of these articles in a transaction of its own."""
    with database.transaction() as session:
        changes = sync(session, library(*articles, pages=pages, failed=failed), now)
    relate(database, lambda: now)
    return changes
