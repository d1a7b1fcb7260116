"""What a page tells machines about itself, in the vocabulary of schema.org."""

from datetime import timedelta
from typing import Any

from blog.articles import wording
from blog.articles.models import Article
from blog.articles.series import Place
from blog.content.values import Author, Site, Topic
from blog.links import Links
from blog.site import card, logo
from blog.web.interface import gettext

CONTEXT = "https://schema.org"
LONGEST_HEADLINE = 110
#: A correction within a day of publication is not worth telling a reader about.
QUIET_TIME = timedelta(days=1)

Data = dict[str, Any]


def article(found: Article, site: Site, links: Links, place: Place | None = None) -> Data:
    """Describe an article as JSON-LD."""
    address = links.article(found.slug)
    authors = [_person(name, site, links) for name in found.authors]
    described = {
        "@context": CONTEXT,
        "@type": "Article",
        "headline": wording.excerpt(found.title, LONGEST_HEADLINE),
        "description": found.description or found.excerpt,
        "image": _card(found, site, links),
        "datePublished": wording.iso_moment(found.published_at, site),
        "dateModified": wording.iso_moment(found.updated_at or found.published_at, site),
        "author": authors or [_publisher(site, links)],
        "publisher": _publisher(site, links),
        "mainEntityOfPage": address,
        "url": address,
        "wordCount": found.words,
        "keywords": [wording.topic_name(topic.topic, site, found) for topic in found.topics],
        "isAccessibleForFree": True,
        "inLanguage": found.language,
    }
    return described | ({"position": place.number, "isPartOf": _series(place, links)} if place else {})


def publication(site: Site, links: Links) -> Data:
    """Describe the site itself."""
    return {
        "@context": CONTEXT,
        "@type": "WebSite",
        "name": site.name,
        "description": site.description or site.tagline or site.name,
        "url": links.to("/"),
        "inLanguage": site.language,
        "publisher": _publisher(site, links),
    }


def topic(shown: Topic, links: Links) -> Data:
    """Describe where a topic lies within the site."""
    steps = [(gettext("Topics"), links.to("/topics")), (shown.name, links.topic(shown.slug))]
    return {
        "@context": CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": address}
            for number, (name, address) in enumerate(steps, start=1)
        ],
    }


def person(author: Author, links: Links) -> Data:
    """Describe an author's page and the person it is about."""
    about = {"@type": "Person", "name": author.name, "url": links.author(author.slug)}
    about |= {"description": author.bio} if author.bio else {}
    about |= {"sameAs": author.url} if author.url else {}
    return {"@context": CONTEXT, "@type": "ProfilePage", "mainEntity": about}


def was_updated(found: Article) -> bool:
    """Say whether an article changed so long after publication that readers should know."""
    return found.updated_at is not None and found.updated_at - found.published_at > QUIET_TIME


def _person(name: str, site: Site, links: Links) -> Data:
    address = links.author(wording.author_slug(name, site))
    return {"@type": "Person", "name": wording.author_name(name, site), "url": address}


def _publisher(site: Site, links: Links) -> Data:
    shown = logo.of(site)
    mark = links.to(shown.address if shown else "/icon.svg")
    return {"@type": "Organization", "name": site.name, "url": links.to("/"), "logo": mark}


def _series(place: Place, links: Links) -> Data:
    return {
        "@type": "CreativeWorkSeries",
        "name": place.series.name,
        "url": links.series(place.series.slug),
    }


def _card(found: Article, site: Site, links: Links) -> Data:
    return {
        "@type": "ImageObject",
        "url": links.to(card.of_article(found, site).address()),
        "width": card.WIDTH,
        "height": card.HEIGHT,
        "caption": f"{found.title} — {site.name}",
    }
