"""The only place that chooses which piece serves which purpose."""

from blog.db import Database
from blog.links import Links
from blog.settings import Settings
from blog.tokens import Tokens
from blog.web.context import Services


def build(settings: Settings) -> Services:
    """Return the services that these settings ask for."""
    return Services(
        settings=settings,
        database=Database(settings.sqlalchemy_url),
        tokens=Tokens(settings.key_ring),
        links=Links(settings.site_url),
    )
