"""What search engines ask for first: the list of pages, and which addresses to leave alone."""

from datetime import datetime
from xml.etree import ElementTree as ET

from flask import Blueprint, Response

from blog import clock
from blog.articles import reading, wording
from blog.articles.models import Article
from blog.site.page_globals import current_site
from blog.web.context import services
from blog.web.guards import public

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: Pages behind a mailed link; they are not indexed anyway, but a robot need not even open them.
CLOSED = ("/confirm/", "/unsubscribe/", "/preferences/")

blueprint = Blueprint("sitemap", __name__)


@blueprint.get("/sitemap.xml")
@public
def sitemap() -> Response:
    """Serve every page that is worth finding, with the day it last changed where that is known."""
    now, links = clock.now(), services().links
    with services().database.reading() as session:
        articles = reading.all_live(session, now)
        topics = reading.topics(session, now)
        pages = reading.pages(session)
    newest = max((_changed(article) for article in articles), default=None)
    entries = [(links.to("/"), newest), (links.to("/topics"), newest), (links.to("/archive"), newest)]
    entries += [(links.article(article.slug), _changed(article)) for article in articles]
    entries += [(links.topic(topic.slug), topic.latest_at) for topic in topics]
    entries += [(links.to(f"/{page.slug}"), None) for page in pages]
    return Response(_document(entries), mimetype="application/xml")


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    """Serve the rules for robots."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    return Response(
        "\n".join([*lines, "", f"Sitemap: {services().links.to('/sitemap.xml')}", ""]), mimetype="text/plain"
    )


def _changed(article: Article) -> datetime:
    return article.updated_at or article.published_at


def _document(entries: list[tuple[str, datetime | None]]) -> bytes:
    root = ET.Element("urlset", {"xmlns": SITEMAP})
    for address, changed in entries:
        url = ET.SubElement(root, "url")
        ET.SubElement(url, "loc").text = address
        if changed is not None:
            ET.SubElement(url, "lastmod").text = wording.iso_date(changed, current_site())
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
