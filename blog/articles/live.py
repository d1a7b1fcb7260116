"""When readers can see an article: decided at the moment of asking, so that nothing waits for a sync."""

from datetime import datetime

from sqlalchemy import ColumnElement, CompoundSelect, or_, select, text, union_all

from blog.articles.models import WITHHELD, Article, ArticleStatus


def live(now: datetime | ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of an article that readers can see at `now`."""
    return (
        Article.status == ArticleStatus.PUBLISHED,
        Article.published_at <= now,
        Article.live_at <= now,
        or_(Article.expires_at.is_(None), Article.expires_at > now),
        Article.removed_at.is_(None),
    )


def withheld(now: datetime | ColumnElement[datetime]) -> CompoundSelect[int]:
    """Return all other articles, some of them twice: each condition has an index of nothing else."""
    always = select(Article.id).where(text(WITHHELD))
    dated = (Article.published_at > now, Article.live_at > now, Article.expires_at <= now)
    return union_all(
        # Left to itself, SQLite takes the index of all that is live.
        always.with_hint(Article, "INDEXED BY ix_articles_withheld", "sqlite"),
        *(select(Article.id).where(condition) for condition in dated),
    )
