"""A feed as JSON Feed 1.1 (jsonfeed.org), with the full text."""

import json
from typing import Any

from blog.articles import wording
from blog.content.values import Site
from blog.links import Links
from blog.site import card
from blog.site.channel import JSON, Channel, Entry, body, summary

VERSION = "https://jsonfeed.org/version/1.1"


def document(channel: Channel) -> bytes:
    """Return the feed as bytes."""
    site, links = channel.site, channel.links
    feed: dict[str, Any] = {
        "version": VERSION,
        "title": channel.title,
        "home_page_url": links.to(channel.page),
        "feed_url": channel.address(JSON),
        "icon": links.to("/icon.svg"),
        "favicon": links.to("/icon.svg"),
        "authors": [{"name": site.name, "url": links.to("/")}],
        "language": site.language,
        "items": [_item(entry, channel) for entry in channel.entries],
    }
    feed |= {"description": channel.description} if channel.description else {}
    feed |= {"hubs": [{"type": "WebSub", "url": channel.hub}]} if channel.hub else {}
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _item(entry: Entry, channel: Channel) -> dict[str, Any]:
    site, links = channel.site, channel.links
    article, address = entry.article, links.article(entry.article.slug)
    item: dict[str, Any] = {
        "id": channel.named_under.article(entry.named.slug),
        "url": address,
        "title": article.title,
        "summary": summary(article),
        "content_html": body(article, links),
        "image": links.to(card.of_article(article, site).address()),
        "date_published": wording.iso_moment(article.published_at, site),
        "authors": [_author(name, site, links) for name in article.authors],
        "tags": [wording.topic_name(topic.topic, site, article) for topic in article.topics],
        "language": article.language,
        # An extension, as the format allows: names that start with an underscore.
        "_related": [
            {"url": links.article(card_.article.slug), "title": card_.article.title, "reason": card_.reason}
            for card_ in entry.related
        ],
    }
    if article.updated_at:
        item["date_modified"] = wording.iso_moment(article.updated_at, site)
    return item


def _author(name: str, site: Site, links: Links) -> dict[str, str]:
    return {
        "name": wording.author_name(name, site),
        "url": links.author(wording.author_slug(name, site)),
    }
