"""What every form of a feed is made from: whose it is, where it is, and its newest articles."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from blog.articles.first_names import Name
from blog.articles.models import Article
from blog.articles.shown import RelatedCard
from blog.content.elsewhere import elsewhere
from blog.content.values import Site
from blog.links import Links

#: Forms of a feed: the ending of its address → its media type.
ATOM, JSON = "xml", "json"
KINDS = {ATOM: "application/atom+xml", JSON: "application/feed+json"}


@dataclass(frozen=True)
class Entry:
    """An article in a feed, with what its page shows under it, and what feeds call it for good."""

    article: Article
    related: list[RelatedCard]
    named: Name


@dataclass(frozen=True)
class Channel:
    """A feed: `page` is the path of what it is about; `hub` is told of news when it is not empty."""

    title: str
    description: str
    page: str
    entries: list[Entry]
    site: Site
    links: Links
    hub: str = ""

    @property
    def named_under(self) -> Links:
        """What feeds and articles are called by for good: where the site was first, should it have moved."""
        return Links(self.site.first_address or self.links.base)

    def path(self, form: str) -> str:
        """Return where a form of this feed is."""
        return f"{self.page.rstrip('/')}/feed.{form}"

    def address(self, form: str) -> str:
        """Return where a form of this feed is, as a whole address."""
        return self.links.to(self.path(form))


def changed_at(article: Article) -> datetime:
    """Return when readers should have looked at an article again; a mended slip is no reason."""
    return article.updated_at or article.published_at


def body(article: Article, links: Links) -> str:
    """Return the full text, fit to be read anywhere."""
    return _elsewhere(article.html, links.article(article.slug))


#: As many as a feed has entries: its other form is often asked for right after it.
_elsewhere = lru_cache(20)(elsewhere)


def summary(article: Article) -> str:
    """Return a sentence or two."""
    return article.description or article.excerpt
