"""The only place that chooses which piece serves which purpose."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from blog.articles.publication import Publication
from blog.db import Database
from blog.delivery import giving_up, suppression
from blog.links import Links
from blog.settings import Settings
from blog.subscribers import lifecycle
from blog.tokens import Tokens
from blog.web.pieces import Services


def build(settings: Settings) -> Services:
    """Return the services that these settings ask for."""
    introduce()
    database = Database(settings.sqlalchemy_url, _hints(settings))
    return Services(
        settings=settings,
        database=database,
        tokens=Tokens(settings.key_ring),
        links=Links(settings.site_url),
        site=Publication(database, settings.content_dir),
    )


def _hints(settings: Settings) -> Callable[[], None] | None:
    if not settings.broker_url:
        return None
    from blog.broker import Hints  # here, since without a broker a command starts quicker

    return Hints(settings)


def introduce() -> None:
    """Have rooms hear from those below what they must know; doing it twice changes nothing."""
    suppression.heard_by(lifecycle.write_down)
    giving_up.heard_by(_count_given_up)


def _count_given_up(session: Session, delivery_id: int, reply: str, now: datetime) -> None:
    # Imported when it happens: a command that only looks at files starts without the rooms of people.
    from blog.bounces import giving_up as counting

    counting.count(session, delivery_id, reply, now)
