"""Atom feeds with the full text, for the site and for each topic (RFC 4287)."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, abort

from blog import clock
from blog.articles import reading, wording
from blog.articles.models import Article
from blog.content.elsewhere import elsewhere, without_forbidden
from blog.content.values import Site
from blog.links import Links
from blog.site.page_globals import current_site
from blog.web.context import services
from blog.web.guards import public

ENTRIES = 20
ATOM = "http://www.w3.org/2005/Atom"
#: What a feed with nothing in it says of its age: a fixed time, so that its ETag holds.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

blueprint = Blueprint("feeds", __name__)
ET.register_namespace("", ATOM)


@blueprint.get("/feed.xml")
@public
def everything() -> Response:
    """Serve the newest articles of the site."""
    with services().database.reading() as session:
        articles = reading.latest(session, clock.now(), ENTRIES)
    return _answer(articles, "/feed.xml", "/", current_site().name)


@blueprint.get("/topics/<slug>/feed.xml")
@public
def of_topic(slug: str) -> Response:
    """Serve the newest articles of one topic."""
    site = current_site()
    with services().database.reading() as session:
        articles = reading.in_topic(session, slug, clock.now(), ENTRIES)
    if not articles and slug not in {topic.slug for topic in site.topics}:
        abort(404)
    name = wording.topic_name(slug, site, articles[0] if articles else None)
    title = f"{name} — {site.name}"
    return _answer(articles, f"/topics/{slug}/feed.xml", f"/topics/{slug}", title)


def _answer(articles: list[Article], path: str, page: str, title: str) -> Response:
    links = services().links
    document = feed(articles, current_site(), links, addresses=(links.to(path), links.to(page)), title=title)
    return Response(document, content_type="application/atom+xml; charset=utf-8")


def feed(articles: list[Article], site: Site, links: Links, addresses: tuple[str, str], title: str) -> bytes:
    """Return a feed as bytes; `addresses` are its own and the one of the page it belongs to."""
    itself, page = addresses
    root = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": site.language})
    _text(root, "id", itself)
    _text(root, "title", title)
    if site.description:
        _text(root, "subtitle", site.description)
    _text(root, "updated", _stamp(max((_updated(article) for article in articles), default=NEVER)))
    _link(root, "self", itself, "application/atom+xml")
    _link(root, "alternate", page, "text/html")
    _text(root, "icon", links.to("/icon.svg"))
    _text(ET.SubElement(root, f"{{{ATOM}}}author"), "name", site.name)
    for article in articles:
        _entry(root, article, site, links)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry(root: ET.Element, article: Article, site: Site, links: Links) -> None:
    address = links.article(article.slug)
    entry = ET.SubElement(root, f"{{{ATOM}}}entry", {"xml:lang": article.language})
    _text(entry, "id", _tag(article, links))
    _text(entry, "title", article.title)
    _link(entry, "alternate", address, "text/html")
    _text(entry, "published", _stamp(article.published_at))
    _text(entry, "updated", _stamp(_updated(article)))
    for author in article.authors:
        _text(ET.SubElement(entry, f"{{{ATOM}}}author"), "name", wording.author_name(author, site))
    for topic in article.topics:
        label = without_forbidden(wording.topic_name(topic.topic, site, article))
        ET.SubElement(entry, f"{{{ATOM}}}category", {"term": topic.topic, "label": label})
    _text(entry, "summary", article.description or article.excerpt)
    content = ET.SubElement(entry, f"{{{ATOM}}}content", {"type": "html"})
    content.text = elsewhere(article.html, address)


def _tag(article: Article, links: Links) -> str:
    # RFC 4151: a name that stays when the site moves to https or the path scheme changes.
    host = links.base.split("://", 1)[-1].split(":", 1)[0]
    return f"tag:{host},{article.published_at.year}:article:{article.slug}"


def _updated(article: Article) -> datetime:
    return article.updated_at or article.published_at


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = without_forbidden(value)


def _link(parent: ET.Element, rel: str, href: str, kind: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": href, "type": kind})
