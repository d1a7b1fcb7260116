"""What the publication is: `site.toml`, and the topics that articles have although nobody described them."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from blog import clock
from blog.articles import reading
from blog.articles.reading import TopicCount
from blog.content.site import cached_site
from blog.content.values import Site, Topic
from blog.db import Database
from blog.errors import Busy


class Publication:
    """Tells what the site is now; asked often, so it looks again only when content has changed."""

    def __init__(self, database: Database, content_dir: Path) -> None:
        self._database = database
        self._content_dir = content_dir
        self._known: tuple[str, Site, Site] | None = None

    def __call__(self) -> Site:
        """Return the site; without a database, as `site.toml` alone describes it."""
        described = cached_site(self._content_dir)
        try:
            return self._completed(described)
        except (SQLAlchemyError, Busy):
            return described

    def _completed(self, described: Site) -> Site:
        with self._database.reading() as session:
            version = reading.version(session)
            if self._known and self._known[:2] == (version, described):
                return self._known[2]
            found = reading.topics(session, clock.now())
        known = {topic.slug for topic in described.topics}
        more = tuple(_topic(topic) for topic in found if topic.slug not in known)
        site = replace(described, topics=described.topics + more)
        self._known = (version, described, site)
        return site


def _topic(counted: TopicCount) -> Topic:
    """Return a topic nobody described: by the name an article gives it, else as its slug reads."""
    named = counted.name not in ("", counted.slug)
    return Topic(counted.slug, counted.name if named else counted.slug.replace("-", " ").capitalize())
