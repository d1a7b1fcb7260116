"""The only place that chooses which piece serves which purpose."""

from blog.articles.publication import Publication
from blog.bounces import giving_up
from blog.db import Database
from blog.delivery import recording, suppression
from blog.links import Links
from blog.settings import Settings
from blog.subscribers import lifecycle
from blog.tokens import Tokens
from blog.web.pieces import Services


def build(settings: Settings) -> Services:
    """Return the services that these settings ask for."""
    introduce()
    database = Database(settings.sqlalchemy_url)
    return Services(
        settings=settings,
        database=database,
        tokens=Tokens(settings.key_ring),
        links=Links(settings.site_url),
        site=Publication(database, settings.content_dir),
    )


def introduce() -> None:
    """Have rooms hear from those below what they must know; doing it twice changes nothing."""
    suppression.heard_by(lifecycle.write_down)
    recording.given_up_is_heard_by(giving_up.count)
