"""A feed as Atom (RFC 4287), with the full text."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from blog.articles import wording
from blog.articles.first_names import Name
from blog.content.elsewhere import without_forbidden
from blog.links import Links
from blog.site.channel import ATOM, JSON, KINDS, Channel, Entry, body, changed_at, summary

NAMESPACE = "http://www.w3.org/2005/Atom"
#: What a feed with nothing in it says of its age: a fixed time, so that its ETag holds.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

ET.register_namespace("", NAMESPACE)


def document(channel: Channel) -> bytes:
    """Return the feed as bytes."""
    site, links = channel.site, channel.links
    root = ET.Element(f"{{{NAMESPACE}}}feed", {"xml:lang": site.language})
    _text(root, "id", channel.named_under.to(channel.path(ATOM)))
    _text(root, "title", channel.title)
    if channel.description:
        _text(root, "subtitle", channel.description)
    updated = max((changed_at(entry.article) for entry in channel.entries), default=NEVER)
    _text(root, "updated", _stamp(updated))
    _link(root, "self", channel.address(ATOM), KINDS[ATOM])
    _link(root, "alternate", links.to(channel.page), "text/html")
    _link(root, "alternate", channel.address(JSON), KINDS[JSON])
    if channel.hub:
        ET.SubElement(root, f"{{{NAMESPACE}}}link", {"rel": "hub", "href": channel.hub})
    _text(root, "icon", links.to("/icon.svg"))
    _text(ET.SubElement(root, f"{{{NAMESPACE}}}author"), "name", site.name)
    for entry in channel.entries:
        _entry(root, entry, channel)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry(root: ET.Element, entry: Entry, channel: Channel) -> None:
    site, links, article = channel.site, channel.links, entry.article
    element = ET.SubElement(root, f"{{{NAMESPACE}}}entry", {"xml:lang": article.language})
    _text(element, "id", _tag(entry.named, channel.named_under))
    _text(element, "title", article.title)
    _link(element, "alternate", links.article(article.slug), "text/html")
    for card in entry.related:
        _link(element, "related", links.article(card.article.slug), "text/html", card.article.title)
    _text(element, "published", _stamp(article.published_at))
    _text(element, "updated", _stamp(changed_at(article)))
    for name in article.authors:
        author = ET.SubElement(element, f"{{{NAMESPACE}}}author")
        _text(author, "name", wording.author_name(name, site))
        _text(author, "uri", links.author(wording.author_slug(name, site)))
    for topic in article.topics:
        label = without_forbidden(wording.topic_name(topic.topic, site, article))
        ET.SubElement(element, f"{{{NAMESPACE}}}category", {"term": topic.topic, "label": label})
    _text(element, "summary", summary(article))
    content = ET.SubElement(element, f"{{{NAMESPACE}}}content", {"type": "html"})
    content.text = body(article, links)


def _tag(name: Name, links: Links) -> str:
    # RFC 4151: a name that stays when the site moves to https, or the article to another address.
    host = links.base.split("://", 1)[-1].split(":", 1)[0]
    return f"tag:{host},{name.year}:article:{name.slug}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = without_forbidden(value)


def _link(parent: ET.Element, rel: str, href: str, kind: str, title: str = "") -> None:
    named = {"title": without_forbidden(title)} if title else {}
    ET.SubElement(parent, f"{{{NAMESPACE}}}link", {"rel": rel, "href": href, "type": kind, **named})
