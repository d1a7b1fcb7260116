"""The only place that chooses which piece serves which purpose."""

from blog.articles.publication import Publication
from blog.db import Database
from blog.links import Links
from blog.settings import Settings
from blog.tokens import Tokens
from blog.web.context import Services


def build(settings: Settings) -> Services:
    """Return the services that these settings ask for."""
    database = Database(settings.sqlalchemy_url)
    return Services(
        settings=settings,
        database=database,
        tokens=Tokens(settings.key_ring),
        links=Links(settings.site_url),
        site=Publication(database, settings.content_dir),
    )
