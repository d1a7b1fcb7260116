"""What a page tells machines about itself, in the vocabulary of schema.org."""

from datetime import timedelta
from typing import Any

from blog.articles import wording
from blog.articles.models import Article
from blog.content.values import Site
from blog.links import Links
from blog.site import card

LONGEST_HEADLINE = 110
#: A correction within a day of publication is not worth telling a reader about.
QUIET_TIME = timedelta(days=1)


def article(found: Article, site: Site, links: Links) -> dict[str, Any]:
    """Describe an article as JSON-LD."""
    address = links.article(found.slug)
    publisher = {"@type": "Organization", "name": site.name, "url": links.to("/")}
    authors = [{"@type": "Person", "name": wording.author_name(name, site)} for name in found.authors]
    return {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": wording.excerpt(found.title, LONGEST_HEADLINE),
        "description": found.description,
        "image": _card(found, site, links),
        "datePublished": wording.iso_moment(found.published_at, site),
        "dateModified": wording.iso_moment(found.updated_at or found.published_at, site),
        "author": authors or [publisher],
        "publisher": publisher,
        "mainEntityOfPage": address,
        "url": address,
        "wordCount": found.words,
        "keywords": [wording.topic_name(topic.topic, site, found) for topic in found.topics],
        "isAccessibleForFree": True,
        "inLanguage": found.language,
    }


def _card(found: Article, site: Site, links: Links) -> dict[str, Any]:
    return {
        "@type": "ImageObject",
        "url": links.to(card.of_article(found, site).address()),
        "width": card.WIDTH,
        "height": card.HEIGHT,
        "caption": f"{found.title} — {site.name}",
    }


def was_updated(found: Article) -> bool:
    """Say whether an article changed so long after publication that readers should know."""
    return found.updated_at is not None and found.updated_at - found.published_at > QUIET_TIME
