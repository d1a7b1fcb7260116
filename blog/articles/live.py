"""When readers can see an article: decided at the moment of asking, so that nothing waits for a sync."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_

from blog.articles.models import Article, ArticleStatus


def live(now: datetime | ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of an article that readers can see at `now`."""
    return (
        Article.status == ArticleStatus.PUBLISHED,
        Article.published_at <= now,
        Article.live_at <= now,
        or_(Article.expires_at.is_(None), Article.expires_at > now),
        Article.removed_at.is_(None),
    )
