"""How an issue's articles are laid out in its mail: one leads, some are told, the rest is named."""

from collections.abc import Sequence
from dataclasses import dataclass

from blog.articles.models import Article

#: Told with a few words each; what comes after them is named only.
TOLD = 8
#: More than so many are put together by topic.
LOOSE = 5


@dataclass(frozen=True)
class Shelf:
    """Articles under one heading; the topic is empty where they need none."""

    topic: str
    articles: tuple[Article, ...]


@dataclass(frozen=True)
class Arranged:
    """An issue's articles in the order in which a mail shows them."""

    lead: Article
    shelves: tuple[Shelf, ...]
    brief: tuple[Article, ...]


def arranged(articles: Sequence[Article]) -> Arranged:
    """Arrange at least one article; their order says how important they are."""
    lead, *others = articles
    return Arranged(lead, _shelves(others[:TOLD]), tuple(others[TOLD:]))


def _shelves(articles: list[Article]) -> tuple[Shelf, ...]:
    by_topic: dict[str, list[Article]] = {}
    for article in articles:
        by_topic.setdefault(article.topics[0].topic if article.topics else "", []).append(article)
    if len(articles) <= LOOSE or len(by_topic) in (1, len(articles)):
        return (Shelf("", tuple(articles)),) if articles else ()
    # What has no topic comes last, under a heading of its own.
    in_order = sorted(by_topic.items(), key=lambda item: not item[0])
    return tuple(Shelf(topic, tuple(found)) for topic, found in in_order)
