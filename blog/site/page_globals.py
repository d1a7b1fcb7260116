"""What every template can use without being handed it: the site, its addresses, its words for dates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request

from blog import theme
from blog.articles import reading, wording
from blog.articles.models import Page
from blog.content import images
from blog.content.values import Site
from blog.site import card
from blog.web import page_cache
from blog.web.context import services

LOGO_HEIGHT = 36


@dataclass(frozen=True)
class Logo:
    """The publisher's mark, as large as it stands in the masthead."""

    width: int
    height: int


def install(app: Flask) -> None:
    """Give the templates of `app` their globals and filters."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_globals)
    for name in ("long_date", "short_date", "iso_date", "topic_name", "author_name", "author_slug"):
        app.jinja_env.filters[name] = _with_site(getattr(wording, name))
    app.jinja_env.filters["cut"] = wording.excerpt
    app.jinja_env.filters["joined"] = wording.joined
    app.jinja_env.filters["initials"] = wording.initials
    app.jinja_env.globals["count"] = wording.count
    app.jinja_env.globals["direction"] = wording.direction
    # A global, since a macro that is imported sees nothing else.
    app.jinja_env.globals["site_card"] = _site_card


def current_site() -> Site:
    """Return what `site.toml` says now, read at most once per edition."""
    if "site" not in g:
        g.site = page_cache.once("site", services().site)
    site: Site = g.site
    return site


def _globals() -> dict[str, Any]:
    site = current_site()
    return {
        "site": site,
        "links": services().links,
        "current_path": request.path,
        "cadences": wording.cadences(site),
        "logo": _logo(site),
        "standing_pages": lambda: page_cache.once("standing_pages", _standing_pages),
        "theme_address": f"/theme.css?v={theme.theme(site.accent).version()}",
    }


def _site_card() -> dict[str, Any]:
    site = current_site()
    address = services().links.to(card.of_site(site).address())
    return {"url": address, "width": card.WIDTH, "height": card.HEIGHT, "caption": site.name}


def _logo(site: Site) -> Logo | None:
    """Return how large the logo is to be; None without one, or when its file cannot be measured."""
    if not site.logo:
        return None
    raster = images.measure(services().settings.content_dir / site.logo)
    return Logo(round(raster.width * LOGO_HEIGHT / raster.height), LOGO_HEIGHT) if raster else None


def _standing_pages() -> list[Page]:
    with services().database.reading() as session:
        return reading.pages(session)


def _with_site(function: Callable[..., str]) -> Callable[..., str]:
    return lambda value, *rest: function(value, current_site(), *rest)
