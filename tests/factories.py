"""Makes rows for tests, by plain functions: only what a test cares about has to be said."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from blog import clock
from blog.articles.models import Article, ArticleStatus, ArticleTopic
from blog.delivery import addresses
from blog.subscribers.models import Status, Subscriber
from blog.tokens import Tokens


def make_subscriber(
    session: Session,
    tokens: Tokens,
    email: str = "reader@example.org",
    status: str = "active",
    cadence: str = "weekly",
    topics: str = "",
    now: datetime | None = None,
) -> Subscriber:
    """Add a subscriber; an active one has confirmed, one that left has left, both at `now`."""
    address = addresses.parse(email)
    at = now or clock.now()
    subscriber = Subscriber(
        public_id=secrets.token_hex(16),
        email=address.email,
        address=address.wire,
        address_key=address.key,
        address_hash=tokens.address_hash(address.key),
        status=status,
        cadence=cadence,
        topics=topics,
        timezone="Europe/Berlin",
        language="en",
        nonce=secrets.token_hex(16),
        created_at=at,
        confirmed_at=at if status == Status.ACTIVE else None,
        left_at=at if status == Status.UNSUBSCRIBED else None,
    )
    session.add(subscriber)
    session.flush()
    return subscriber


def make_article(
    session: Session,
    slug: str = "an-article",
    topics: Sequence[str] = ("systems",),
    published_at: datetime | None = None,
    **overrides: Any,
) -> Article:
    """Add a live article, as a sync would leave it."""
    at = published_at or clock.now()
    title = slug.replace("-", " ").capitalize()
    values: dict[str, Any] = {
        "source": f"articles/{slug}.md",
        "content_hash": hashlib.sha256(slug.encode()).hexdigest(),
        "rendered_hash": "0" * 64,
        "status": ArticleStatus.PUBLISHED,
        "title": title,
        "description": f"What {title} is about.",
        "excerpt": f"The beginning of {title}.",
        "html": f"<p>The body of {title}.</p>",
        "text": f"The body of {title}.",
        "contents": [],
        "headings": [],
        "authors": ["Mara Lindqvist"],
        "language": "en",
        "pinned": [],
        "extra": {},
        "words": 900,
        "minutes": 4,
        "live_at": at,
    }
    article = Article(slug=slug, published_at=at, **{**values, **overrides})
    article.topics = [ArticleTopic(topic=topic, position=place) for place, topic in enumerate(topics)]
    session.add(article)
    session.flush()
    return article
