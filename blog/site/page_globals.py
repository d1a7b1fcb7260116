"""What every template can use without being handed it: the site, its addresses, its words for dates."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Flask, request
from markupsafe import Markup

from blog import language, theme
from blog.articles import reading, wording
from blog.articles.models import Article, Page
from blog.content.values import Site
from blog.site import card, fonts, logo
from blog.web import page_cache
from blog.web.context import services
from blog.web.interface import current_site


def install(app: Flask) -> None:
    """Give the templates of `app` their globals and filters."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_globals)
    for name in (
        "long_date",
        "short_date",
        "iso_date",
        "topic_name",
        "author_name",
        "author_slug",
        "because",
    ):
        app.jinja_env.filters[name] = _with_site(getattr(wording, name))
    app.jinja_env.filters["cut"] = _cut
    app.jinja_env.filters["initials"] = wording.initials
    app.jinja_env.globals["count"] = wording.count
    app.jinja_env.globals["signed"] = _signed
    app.jinja_env.globals["kept"] = _kept
    # A global, since a macro that is imported sees nothing else.
    app.jinja_env.globals["site_card"] = _site_card


def _globals() -> dict[str, Any]:
    site = current_site()
    return {
        "site": site,
        "links": services().links,
        "current_path": request.path,
        "standing_pages": lambda: page_cache.once("standing_pages", _standing_pages),
        **page_cache.once(f"of the site, in {site.language}", lambda: _of_site(site)),
    }


def _of_site(site: Site) -> dict[str, Any]:
    faces = fonts.faces(site)
    return {
        "cadences": wording.cadences(site),
        "logo": logo.of(site),
        "theme_address": f"/theme.css?v={theme.theme(site.accent, faces).version()}",
        "own_fonts": {face.use: face.address for face in faces},
    }


def _kept(name: str, caller: Callable[[], str]) -> str:
    """Return a part that all pages of an edition have in common; made at the first in each language."""
    return page_cache.once(f"{name}, in {current_site().language}", caller)


def _site_card() -> dict[str, Any]:
    site = current_site()
    address = services().links.to(card.of_site(site).address())
    return {"url": address, "width": card.WIDTH, "height": card.HEIGHT, "caption": site.name}


def _signed(article: Article) -> Markup:
    """Return the authors of an article as links, in a list within a sentence."""
    site = current_site()
    link = Markup('<a class="p-author h-card" rel="author" href="/authors/{}">{}</a>')
    names = [
        link.format(quote(wording.author_slug(author, site)), wording.author_name(author, site))
        for author in article.authors
    ]
    return Markup(language.listed(site.language, names))  # noqa: S704 - every name is escaped above


def _cut(text: str, *length: int) -> str:
    """Cut a text; one that is markup already must not be cut within an entity, nor be escaped twice."""
    return wording.excerpt(text.unescape() if isinstance(text, Markup) else text, *length)


def _standing_pages() -> list[Page]:
    with services().database.reading() as session:
        return reading.pages(session)


def _with_site(function: Callable[..., str]) -> Callable[..., str]:
    return lambda value, *rest: function(value, current_site(), *rest)
