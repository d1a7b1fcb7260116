"""Old addresses of articles: aliases from their files, and the slugs they once had.

A redirect is kept even when its alias leaves the file: somebody may still follow the link. It ends when an
article takes the address itself, or when another file claims it.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from blog.articles.live import live
from blog.articles.models import Article, Redirect
from blog.content.slugs import old_path


def target(session: Session, path: str, now: datetime) -> str | None:
    """Return the present path of the article that was once at `path`, when it can be read now."""
    kept = old_path(path)
    slug = session.scalar(
        select(Article.slug)
        .join(Redirect, Redirect.article_id == Article.id)
        .where(Redirect.path == kept, *live(now))
    )
    return f"/articles/{slug}" if slug else None


def store(session: Session, wanted: Mapping[str, int], slugs: Mapping[str, int]) -> list[str]:
    """Add the wanted redirects (path → article), but for addresses in use; return those that changed."""
    in_use = {f"/articles/{slug}" for slug in slugs}
    kept = dict(session.execute(select(Redirect.path, Redirect.article_id)).all())
    new = {
        path: article for path, article in wanted.items() if path not in in_use and kept.get(path) != article
    }
    overtaken = sorted(kept.keys() & in_use)
    if overtaken:
        session.execute(delete(Redirect).where(Redirect.path.in_(overtaken)))
    rows = [{"path": path, "article_id": article} for path, article in sorted(new.items())]
    changed = [row for row in rows if row["path"] in kept]
    added = [row for row in rows if row["path"] not in kept]
    if changed:
        session.execute(update(Redirect), changed)
    if added:
        session.execute(insert(Redirect), added)
    return [*sorted(new), *overtaken]
