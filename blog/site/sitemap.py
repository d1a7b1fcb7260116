"""What programs ask for first: the list of pages, which to leave alone, what may be fetched early."""

import json
from collections.abc import Iterable
from datetime import datetime
from xml.sax.saxutils import escape

from flask import Blueprint, Response, abort, render_template
from sqlalchemy import func, select

from blog import clock
from blog.articles import reading, series
from blog.articles.live import live
from blog.articles.models import Article, ArticleTopic
from blog.db import UTCDateTime
from blog.site import bylines
from blog.web.context import services
from blog.web.guards import public
from blog.web.headers import SPECULATION_RULES
from blog.web.interface import current_site

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: What the protocol allows in one file.
MOST_ADDRESSES = 50_000
#: Pages behind a mailed link; they are not indexed anyway, but a robot need not even open them.
CLOSED = tuple(
    f"/{door}/" for door in ("account", "confirm", "drafts", "move", "preferences", "restore", "unsubscribe")
)
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
    now, links, site, people = clock.now(), services().links, current_site(), bylines.everybody()
    # The columns alone: at fifty thousand articles their objects would take seconds.
    changed = func.coalesce(Article.updated_at, Article.published_at, type_=UTCDateTime)
    columns = (Article.slug, changed.label("changed"), Article.series, Article.authors)
    query = select(*columns).where(*live(now)).order_by(Article.published_at.desc(), Article.id.desc())
    about = select(ArticleTopic.topic, func.max(changed, type_=UTCDateTime)).join(Article).where(*live(now))
    with services().database.reading() as session:
        articles = session.execute(query).all()
        topics = session.execute(about.group_by(ArticleTopic.topic).order_by(ArticleTopic.topic)).all()
        sequels = series.all_live(session, site, now)
        pages = [page.slug for page in reading.pages(session)]
    in_series = _latest((row.series, row.changed) for row in articles if row.series)
    signed = _latest((name, row.changed) for row in articles for name in row.authors)
    newest = max((row.changed for row in articles), default=None)
    lists = ["/", "/topics", "/archive", "/authors", *(["/series"] if sequels else []), "/feeds"]
    return [
        *((links.to(path), newest if path != "/feeds" else None) for path in lists),
        *((links.article(row.slug), row.changed) for row in articles),
        *((links.topic(slug), latest) for slug, latest in topics),
        *((links.series(found.slug), _last(in_series, found.written)) for found in sequels),
        *((links.author(found.author.slug), _last(signed, found.written)) for found in people),
        *((links.to(f"/{slug}"), None) for slug in pages),
    ]


def _latest(changes: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    """Return of each name when the last of what it stands in has changed."""
    found: dict[str, datetime] = {}
    for name, changed in changes:
        found[name] = max(changed, found.get(name, changed))
    return found


def _last(changes: dict[str, datetime], names: Iterable[str]) -> datetime | None:
    # An article may have expired since the authors were read.
    return max((changes[name] for name in names if name in changes), default=None)


def _document(root_name: str, name: str, entries: list[Address]) -> bytes:
    # Written by hand: ten thousand addresses as a tree take five times as long.
    lines = ["<?xml version='1.0' encoding='utf-8'?>", f'<{root_name} xmlns="{SITEMAP}">']
    for address, changed in entries:
        lastmod = f"<lastmod>{changed.isoformat(timespec='seconds')}</lastmod>" if changed else ""
        lines.append(f"<{name}><loc>{escape(address)}</loc>{lastmod}</{name}>")
    return "\n".join([*lines, f"</{root_name}>\n"]).encode()
