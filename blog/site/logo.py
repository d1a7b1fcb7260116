"""The publisher's logo, where there is one that can be shown: in the masthead, and named to machines."""

from dataclasses import dataclass
from urllib.parse import quote

from blog.content import images
from blog.content.values import Site
from blog.content.variants import TooLarge
from blog.web import page_cache
from blog.web.context import services

HEIGHT = 36


@dataclass(frozen=True)
class Logo:
    """Where it is, and how large it stands in the masthead."""

    address: str
    width: int
    height: int


def of(site: Site) -> Logo | None:
    """Return the logo; None without one, or when its file is missing or cannot be measured."""
    return page_cache.once("logo", lambda: _read(site.logo)) if site.logo else None


def _read(name: str) -> Logo | None:
    try:
        raster = images.measure(services().settings.content_dir / name)
    except TooLarge:
        return None
    if raster is None:
        return None
    return Logo(f"/media/{quote(name)}", round(raster.width * HEIGHT / raster.height), HEIGHT)
