"""A publication on its first day: nothing is written yet, and mails come in several languages."""

from pathlib import Path

from blog.web.pieces import Services
from tests.browser.gallery.people import links_of
from tests.browser.gallery.picture import Picture
from tests.factories import make_subscriber

SITE = """name = "First Light"
tagline = "Nothing here yet, and soon something."
languages = ["en", "de", "ar"]
timezone = "Europe/Berlin"

[[topics]]
slug = "mornings"
name = "Mornings"

[[series]]
slug = "the-first-week"
name = "The First Week"

[[authors]]
slug = "nobody-yet"
name = "Ida Morgen"
url = "https://example.org/ida"
"""


def write(content: Path) -> None:
    """Write the publication."""
    (content / "articles").mkdir(parents=True)
    (content / "site.toml").write_text(SITE, encoding="utf-8")


def pictures(services: Services, site: str) -> list[Picture]:
    """Return what is to be seen of it at `site`."""
    with services.database.transaction() as session:
        reader = links_of(services, make_subscriber(session, services.tokens))
    paths = {
        "home": "/",
        "archive": "/archive",
        "topics": "/topics",
        "topic": "/topics/mornings",
        "all-series": "/series",
        "series": "/series/the-first-week",
        "authors": "/authors",
        "author": "/authors/nobody-yet",
        "digests": "/digests",
        "feeds": "/feeds",
        "search": "/search?q=light",
        "preferences": reader["preferences"],
    }
    return [Picture(f"beginning-{name}", f"{site}{path}") for name, path in paths.items()]
