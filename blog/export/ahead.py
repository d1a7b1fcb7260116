"""What the pages of a parcel show, read for all of them at once."""

from collections.abc import Iterable

from blog import clock
from blog.articles.shown import Shown, shown, subjects
from blog.web.pieces import Services

ARTICLES, SKETCHES, DRAWN = "/articles/", "/sketches/", ".svg"


def read(services: Services, paths: Iterable[str]) -> dict[str, Shown | str]:
    """Return by path what the views of articles and of their drawings would read one by one."""
    slugs = {path.removeprefix(ARTICLES): path for path in paths if path.startswith(ARTICLES)}
    drawn = {
        path.removeprefix(SKETCHES).removesuffix(DRAWN): path
        for path in paths
        if path.startswith(SKETCHES) and path.endswith(DRAWN)
    }
    if not slugs and not drawn:
        return {}
    now, site = clock.now(), services.site() if slugs else None
    with services.database.reading() as session:
        pages = shown(session, slugs, site, now) if site else {}
        topics = subjects(session, drawn, now) if drawn else {}
    return {slugs[slug]: page for slug, page in pages.items()} | {
        drawn[slug]: topic for slug, topic in topics.items()
    }
