"""The card of an article: what other sites show where somebody links to it."""

import hashlib
from dataclasses import dataclass
from urllib.parse import quote

from blog.articles import wording
from blog.articles.models import Article
from blog.content.values import Site
from blog.theme import theme

#: Raised whenever the same card would be drawn differently, so that no old one is shown.
CARD_VERSION = 1
#: The card of the pages that are no article.
SITE_CARD = "/card.png"
WIDTH, HEIGHT = 1200, 630


@dataclass(frozen=True)
class Card:
    """All that a card shows; two equal cards are the same picture."""

    slug: str
    title: str
    topic: str
    topic_name: str
    date: str
    site: str
    accent: str

    def version(self) -> str:
        """Return a name that changes with anything that can be seen."""
        return hashlib.sha256(repr((CARD_VERSION, *vars(self).values())).encode()).hexdigest()

    def short_version(self) -> str:
        """Return as much of the version as an address needs."""
        return self.version()[:12]

    def address(self) -> str:
        """Return the path of the picture, with its version."""
        place = f"/cards/{quote(self.slug)}.png" if self.slug else SITE_CARD
        return f"{place}?v={self.short_version()}"


def of_article(found: Article, site: Site) -> Card:
    """Return the card of an article."""
    topic = found.topics[0].topic if found.topics else ""
    return Card(
        slug=found.slug,
        title=found.title,
        topic=topic,
        topic_name=wording.topic_name(topic, site, found) if topic else "",
        date=wording.long_date(found.published_at, site),
        site=site.name,
        accent=theme(site.accent).accent_light,
    )


def of_site(site: Site) -> Card:
    """Return the card of the site itself."""
    accent = theme(site.accent).accent_light
    return Card("", site.tagline or site.description or site.name, "", "", "", site.name, accent)
