"""Old addresses of articles: aliases from their files, and the slugs they once had.

A redirect is kept even when its alias leaves the file: somebody may still follow the link. It ends when an
article takes the address itself, or when another file claims it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from blog.articles.live import live
from blog.articles.models import Article, Redirect
from blog.content.slugs import old_path

PREFIX = "/articles/"
BATCH = 500


def target(session: Session, path: str, now: datetime) -> str | None:
    """Return the present path of the article that was once at `path`, when it can be read now."""
    kept = old_path(path)
    slug = session.scalar(
        select(Article.slug)
        .join(Redirect, Redirect.article_id == Article.id)
        .where(Redirect.path == kept, *live(now))
    )
    return f"/articles/{slug}" if slug else None


def store(session: Session, wanted: Mapping[str, int]) -> list[str]:
    """Add the wanted redirects (path → article), but for addresses in use; return those that changed."""
    if not wanted:
        return []
    kept = dict(session.execute(select(Redirect.path, Redirect.article_id)).all())
    new = {path: article for path, article in wanted.items() if kept.get(path) != article}
    for path in _in_use(session, new):
        del new[path]
    rows = [{"path": path, "article_id": article} for path, article in sorted(new.items())]
    changed = [row for row in rows if row["path"] in kept]
    added = [row for row in rows if row["path"] not in kept]
    if changed:
        session.execute(update(Redirect), changed)
    if added:
        session.execute(insert(Redirect), added)
    return sorted(new)


def drop_overtaken(session: Session) -> list[str]:
    """End the redirects whose address an article has itself by now; return them."""
    found = sorted(_overtaken(session))
    if found:
        session.execute(delete(Redirect).where(Redirect.path.in_(found)))
    return found


def _overtaken(session: Session) -> Iterable[str]:
    own = Article.slug == func.substr(Redirect.path, len(PREFIX) + 1)
    query = select(Redirect.path).join(Article, own)
    return session.scalars(query.where(Redirect.path.startswith(PREFIX), Article.removed_at.is_(None)))


def _in_use(session: Session, paths: Iterable[str]) -> list[str]:
    slugs = [path.removeprefix(PREFIX) for path in paths if path.startswith(PREFIX)]
    found: list[str] = []
    for start in range(0, len(slugs), BATCH):
        query = select(Article.slug).where(Article.slug.in_(slugs[start : start + BATCH]))
        found += session.scalars(query.where(Article.removed_at.is_(None)))
    return [f"{PREFIX}{slug}" for slug in found]
