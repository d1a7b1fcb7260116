"""Series: what belongs together and is read in order; an article says by name which one it is part of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.articles import lists
from blog.articles.live import live
from blog.articles.models import Article
from blog.content.slugs import slug_for
from blog.content.values import Site, Topic


@dataclass(frozen=True)
class Series:
    """A series as its live articles and `site.toml` describe it; `written` are its names in the articles."""

    slug: str
    name: str
    description: str
    written: tuple[str, ...] = ()
    count: int = 0
    latest_at: datetime | None = None


@dataclass(frozen=True)
class Place:
    """Where an article stands in its series."""

    series: Series
    number: int
    parts: list[Article]

    @property
    def previous(self) -> Article | None:
        """The part before this one."""
        return self.parts[self.number - 2] if self.number > 1 else None

    @property
    def following(self) -> Article | None:
        """The part after this one."""
        return self.parts[self.number] if self.number < len(self.parts) else None


def all_live(session: Session, site: Site, now: datetime) -> list[Series]:
    """Return the series that have live articles, the latest continued first."""
    rows = session.execute(
        select(Article.series, func.count(), func.max(Article.published_at))
        .where(Article.series.is_not(None), Article.series != "", *live(now))
        .group_by(Article.series)
        .order_by(func.min(Article.id))
    )
    described = {series.slug: series for series in site.series}
    found: dict[str, Series] = {}
    for named, count, latest_at in rows:
        written = str(named)
        slug = slug_of(written, site)
        known = described.get(slug) or Topic(slug, written)
        before = found.get(slug) or Series(slug, known.name, known.description)
        latest = max(filter(None, (before.latest_at, latest_at)))
        names = (*before.written, written)
        found[slug] = Series(slug, known.name, known.description, names, before.count + count, latest)
    return sorted(found.values(), key=lambda series: (series.latest_at or now, series.slug), reverse=True)


def find(session: Session, slug: str, site: Site, now: datetime) -> Series | None:
    """Return the series at an address; one that only `site.toml` knows is there, and empty."""
    living = {series.slug: series for series in all_live(session, site, now)}
    described = {series.slug: Series(*_described(series)) for series in site.series}
    return living.get(slug) or described.get(slug)


def parts(session: Session, series: Series, now: datetime) -> list[Article]:
    """Return the live articles of a series, the first part first."""
    return lists.in_order(session, lists.in_series(series.written), now)


def places(session: Session, articles: Iterable[Article], site: Site, now: datetime) -> dict[int, Place]:
    """Return where each of these articles stands in its series, by its number; most are in none."""
    named = {slug_of(article.series, site) for article in articles if article.series}
    found: dict[int, Place] = {}
    for series in all_live(session, site, now) if named else ():
        if series.slug in named:
            whole = parts(session, series, now)
            found |= {part.id: Place(series, number, whole) for number, part in enumerate(whole, start=1)}
    return found


def slug_of(written: str, site: Site) -> str:
    """Return the address of a series that an article names by its name or by its slug."""
    named = {slug_for(series.name): series.slug for series in site.series}
    slug = slug_for(written)
    return named.get(slug, slug)


def _described(series: Topic) -> tuple[str, str, str]:
    return series.slug, series.name, series.description
