"""Telling a hub that feeds have news (WebSub, W3C Recommendation of 2018): by the worker, never by a request.

What was told is kept in a file under `var/`. A hub that is told twice fetches a feed in vain and no more, so
several hosts may each tell it, and a lost file costs one round.
"""

import http.client
import json
import ssl
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import structlog

from blog.articles import reading, series, wording
from blog.articles.models import Article
from blog.content.values import Site
from blog.errors import BlogError
from blog.site.channel import KINDS, changed_at
from blog.site.feeds import ENTRIES
from blog.web.pieces import Services

TIMEOUT = 10.0
#: The hub answers 202 or another 2xx; more than this of its answer is not read.
MOST_READ = 1024
FORM = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "blog-websub"}

Post = Callable[[str, bytes], int]
log = structlog.get_logger(__name__)


class HubError(BlogError):
    """The hub did not take the news; it is told again later."""

    def __init__(self, why: str) -> None:
        super().__init__(f"BLOG_WEBSUB_HUB: the hub did not take the news: {why}; it is told again later")


def announce(services: Services, now: datetime, post: Post | None = None) -> int:
    """Tell the hub about every feed in which something is new; return how many feeds that were."""
    hub = services.settings.websub_hub
    if not hub:
        return 0
    site, kept = services.site(), services.settings.var_dir / "websub.json"
    with services.database.reading() as session:
        newest = reading.latest(session, now, ENTRIES)
    told = _told(kept)
    state = {article.slug: f"{changed_at(article).isoformat()} {article.rendered_hash}" for article in newest}
    news = [article for article in newest if told.get(article.slug) != state[article.slug]]
    if not news and told.keys() <= state.keys():
        return 0
    pages = _pages(news, site) if news else ["/"]
    topics = [services.links.to(f"{page.rstrip('/')}/feed.{form}") for page in pages for form in KINDS]
    _tell(hub, topics, post or post_form)
    kept.write_text(json.dumps(state), encoding="utf-8")
    log.info("websub.announced", feeds=len(topics))
    return len(topics)


def post_form(address: str, body: bytes) -> int:
    """Send a form to the hub and return its status; a redirect is not followed, a certificate is verified."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT)
    )
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, FORM)
        answer = connection.getresponse()
        answer.read(MOST_READ)
        return answer.status
    finally:
        connection.close()


def _tell(hub: str, topics: Iterable[str], post: Post) -> None:
    for topic in topics:
        # One address each: hubs differ in whether they take several at once.
        body = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}).encode()
        try:
            status = post(hub, body)
        except (OSError, http.client.HTTPException) as error:
            raise HubError(type(error).__name__) from None
        if not 200 <= status < 300:
            raise HubError(f"it answered {status}")


def _pages(news: Iterable[Article], site: Site) -> list[str]:
    """Return the pages whose feeds have something new."""
    found = ["/"]
    for article in news:
        found += [f"/topics/{topic.topic}" for topic in article.topics]
        found += [f"/authors/{wording.author_slug(name, site)}" for name in article.authors]
        found += [f"/series/{series.slug_of(article.series, site)}"] if article.series else []
    return list(dict.fromkeys(found))


def _told(kept: Path) -> dict[str, str]:
    try:
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
