"""What programs ask for first: the list of pages, which to leave alone, what may be fetched early."""

import json
from datetime import datetime
from xml.sax.saxutils import escape

from flask import Blueprint, Response, abort, render_template
from sqlalchemy import select

from blog import clock
from blog.articles import reading, series
from blog.articles.live import live
from blog.articles.models import Article
from blog.site import bylines
from blog.web.context import services
from blog.web.guards import public
from blog.web.headers import SPECULATION_RULES
from blog.web.interface import current_site

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: What the protocol allows in one file.
MOST_ADDRESSES = 50_000
#: Pages behind a mailed link; they are not indexed anyway, but a robot need not even open them.
CLOSED = ("/confirm/", "/unsubscribe/", "/preferences/")
#: What a browser has no reason to fetch before it is asked for.
NOT_EARLY = (*(f"{path}*" for path in (*CLOSED, "/dev/", "/media/", "/static/")), "/*.(xml|json|txt)")
#: How many articles `llms.txt` names: the rest is in the sitemap.
LLMS_ARTICLES = 100

Address = tuple[str, datetime | None]
blueprint = Blueprint("sitemap", __name__)


@blueprint.get("/sitemap.xml")
@public
def sitemap() -> Response:
    """Serve every page that is worth finding; where that is too much for one file, the list of its parts."""
    addresses = _addresses()
    if len(addresses) <= MOST_ADDRESSES:
        return Response(_document("urlset", "url", addresses), mimetype="application/xml")
    parts: list[Address] = []
    for number, start in enumerate(range(0, len(addresses), MOST_ADDRESSES), start=1):
        part = addresses[start : start + MOST_ADDRESSES]
        newest = max((changed for _, changed in part if changed), default=None)
        parts.append((services().links.to(f"/sitemaps/{number}.xml"), newest))
    return Response(_document("sitemapindex", "sitemap", parts), mimetype="application/xml")


@blueprint.get("/sitemaps/<int:number>.xml")
@public
def part(number: int) -> Response:
    """Serve a part of a long sitemap."""
    addresses = _addresses()
    chosen = addresses[(number - 1) * MOST_ADDRESSES : number * MOST_ADDRESSES] if number > 0 else []
    if not chosen:
        abort(404)
    return Response(_document("urlset", "url", chosen), mimetype="application/xml")


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    """Serve the rules for robots."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    return Response(
        "\n".join([*lines, "", f"Sitemap: {services().links.to('/sitemap.xml')}", ""]), mimetype="text/plain"
    )


@blueprint.get("/llms.txt")
@public
def llms() -> Response:
    """Serve a short guide to the site for language models (llmstxt.org)."""
    with services().database.reading() as session:
        articles = reading.all_live(session, clock.now(), LLMS_ARTICLES)
    return Response(render_template("site/llms.txt", articles=articles), mimetype="text/plain")


@blueprint.get(SPECULATION_RULES)
@public
def speculation_rules() -> Response:
    """Tell browsers which links they may fetch when a reader is about to follow them."""
    excluded = ({"not": {"href_matches": pattern}} for pattern in NOT_EARLY)
    prefetch = {"where": {"and": [{"href_matches": "/*"}, *excluded]}, "eagerness": "moderate"}
    return Response(json.dumps({"prefetch": [prefetch]}), mimetype="application/speculationrules+json")


def _addresses() -> list[Address]:
    """Return every address with the moment it last changed, where that is known."""
    now, links, site = clock.now(), services().links, current_site()
    # The columns alone: at fifty thousand articles their objects would take seconds.
    columns = (Article.slug, Article.published_at, Article.updated_at)
    query = select(*columns).where(*live(now)).order_by(Article.published_at.desc(), Article.id.desc())
    people = [found.author.slug for found in bylines.everybody()]
    with services().database.reading() as session:
        articles = [(slug, updated or published) for slug, published, updated in session.execute(query)]
        topics = [(topic.slug, topic.latest_at) for topic in reading.topics(session, now)]
        sequels = [(found.slug, found.latest_at) for found in series.all_live(session, site, now)]
        pages = [page.slug for page in reading.pages(session)]
    newest = max((changed for _, changed in articles), default=None)
    lists = ["/", "/topics", "/archive", "/authors", *(["/series"] if sequels else []), "/feeds"]
    return [
        *((links.to(path), newest if path != "/feeds" else None) for path in lists),
        *((links.article(slug), changed) for slug, changed in articles),
        *((links.topic(slug), changed) for slug, changed in topics),
        *((links.series(slug), changed) for slug, changed in sequels),
        *((links.author(slug), None) for slug in people),
        *((links.to(f"/{slug}"), None) for slug in pages),
    ]


def _document(root_name: str, name: str, entries: list[Address]) -> bytes:
    # Written by hand: ten thousand addresses as a tree take five times as long.
    lines = ["<?xml version='1.0' encoding='utf-8'?>", f'<{root_name} xmlns="{SITEMAP}">']
    for address, changed in entries:
        lastmod = f"<lastmod>{changed.isoformat(timespec='seconds')}</lastmod>" if changed else ""
        lines.append(f"<{name}><loc>{escape(address)}</loc>{lastmod}</{name}>")
    return "\n".join([*lines, f"</{root_name}>\n"]).encode()
