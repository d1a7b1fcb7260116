"""All former addresses at once, for who serves the site without asking us each time."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from blog.articles.live import live
from blog.articles.models import Article, Redirect


def moved(session: Session, now: datetime) -> dict[str, str]:
    """Return where each old address leads now."""
    pairs = (
        select(Redirect.path, Article.slug)
        .join(Article, Redirect.article_id == Article.id)
        .where(*live(now))
        .order_by(Redirect.path)
    )
    return {path: f"/articles/{slug}" for path, slug in session.execute(pairs)}


def gone(session: Session, now: datetime) -> list[str]:
    """Return the addresses of what could once be read and has been withdrawn, or has expired."""
    withdrawn = or_(Article.removed_at.is_not(None), Article.expires_at <= now)
    own = select(Article.slug).where(Article.live_at <= now, withdrawn).order_by(Article.slug)
    old = (
        select(Redirect.path)
        .join(Article, Redirect.article_id == Article.id)
        .where(Article.live_at <= now, withdrawn, Redirect.path.startswith("/articles/"))
        .order_by(Redirect.path)
    )
    return [f"/articles/{slug}" for slug in session.scalars(own) if slug[0] != "~"] + list(
        session.scalars(old)
    )
