"""Who writes here, read once per edition: each author has a page and two feeds that ask for it."""

from blog import clock
from blog.articles import authors
from blog.articles.authors import Byline
from blog.web import page_cache
from blog.web.context import services
from blog.web.interface import current_site


def everybody() -> list[Byline]:
    """Return everybody who signs a live article, the most industrious first."""
    return page_cache.once("bylines", _read)


def of(slug: str) -> Byline | None:
    """Return the author at an address."""
    return authors.named(slug, everybody(), current_site())


def _read() -> list[Byline]:
    with services().database.reading() as session:
        return authors.all_live(session, current_site(), clock.now())
