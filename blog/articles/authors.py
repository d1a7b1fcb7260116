"""Authors: those that `site.toml` describes, and those whose name only stands above an article."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from blog.articles import wording
from blog.articles.live import live
from blog.articles.models import Article
from blog.content.values import Author, Site


@dataclass(frozen=True)
class Byline:
    """An author with the names that articles give, and how many live articles there are."""

    author: Author
    written: tuple[str, ...] = ()
    count: int = 0


def all_live(session: Session, site: Site, now: datetime) -> list[Byline]:
    """Return everybody who signs a live article, the most industrious first."""
    # Grouped as text: PostgreSQL cannot compare JSON values.
    signed = cast(Article.authors, Text)
    rows = session.execute(select(signed, func.count()).where(*live(now)).group_by(signed).order_by(signed))
    counts: Counter[str] = Counter()
    written: dict[str, list[str]] = {}
    for names, count in rows:
        for name in dict.fromkeys(json.loads(names)):
            slug = wording.author_slug(name, site)
            counts[slug] += count
            written.setdefault(slug, []).append(name)
    described = {author.slug: author for author in site.authors}
    found = [
        Byline(described.get(slug) or Author(slug, names[0]), tuple(dict.fromkeys(names)), counts[slug])
        for slug, names in written.items()
    ]
    return sorted(found, key=lambda byline: (-byline.count, byline.author.slug))


def named(slug: str, signing: list[Byline], site: Site) -> Byline | None:
    """Return the author at an address; one whom only `site.toml` knows is there, without articles."""
    known = {author.slug: Byline(author) for author in site.authors}
    known |= {byline.author.slug: byline for byline in signing}
    return known.get(slug)
