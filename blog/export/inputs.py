"""What pages are made from, as marks: a page whose mark is that of the last export need not be made again.

A mark is of all that can be seen: the program itself, its settings and templates, `site.toml`, and the rows
that the page shows. Too much in it costs a page that is made for nothing; too little would leave an old one.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import flask
from flask import Flask

from blog.articles import lists, reading
from blog.articles.models import Article, Page
from blog.articles.shown import Shown
from blog.content import offers, stamps
from blog.content.values import Topic
from blog.settings import SHIPPED
from blog.web.editions import Edition
from blog.web.pieces import Services

#: Raised when marks of the same things are to be others.
VERSION = 1
_BYTES = 16
_OF_AN_ARTICLE = tuple(sorted(column.key for column in Article.__mapper__.column_attrs))
_OF_A_PART = tuple(name for name in _OF_AN_ARTICLE if name not in lists.NOT_IN_ITEMS)
_OF_A_STANDING_PAGE = tuple(sorted(column.key for column in Page.__mapper__.column_attrs))


@dataclass(frozen=True)
class Inputs:
    """The marks of one edition: of all pages' common part, and of a whole export ("" if unknown)."""

    common: str
    whole: str
    topics: Mapping[str, Topic]

    def of(self, read: Shown | str) -> str:
        """Return the mark of a page or a drawing that shows what was read for it."""
        if isinstance(read, str):
            return _mark(self.common, read)
        topics = [self.topics.get(topic.topic) for topic in read.article.topics]
        return _mark(self.common, _of_page(read), topics)


def inputs(app: Flask, live: str, edition: Edition | None, without: Iterable[str]) -> Inputs:
    """Mark an edition whose forms go to `live`; left out are the addresses that begin as in `without`."""
    services: Services = app.extensions["blog"]
    settings, site = services.settings, services.site()
    topics = {topic.slug: topic for topic in site.topics}
    if settings.templates_dir is None:
        # Ours show only the topics of the article itself. Here they are in an order that any other
        # article can change: those that nobody has described stand by how many they have.
        site = replace(site, topics=())
    with services.database.reading() as session:
        standing = [_values(page, _OF_A_STANDING_PAGE) for page in reading.pages(session)]
    files = edition.state.marks[-1] if edition else ()
    common = _mark(VERSION, _program(), settings, live, site, files, standing)
    if edition is None:
        return Inputs(common, "", topics)
    there = stamps.files(str(settings.content_dir))
    media = stamps.of(path for path in there if Path(path).suffix.lower() in offers.KINDS)
    return Inputs(common, _mark(common, edition.state, tuple(without), media), topics)


def _program() -> tuple[object, ...]:
    """Return what changes with another version of ours, or of anything that we build upon."""
    ours = {str(SHIPPED / "templates"), str(Path(__file__).parents[1])}
    files = (path for folder in sorted(ours) for path in stamps.files(folder) if not path.endswith(".pyc"))
    installed = sorted(path.name for path in Path(flask.__file__).parents[1].glob("*.dist-info"))
    return sys.version, installed, stamps.of(files)


def _of_page(page: Shown) -> tuple[object, ...]:
    place = page.place
    parts = [_article(part, _OF_A_PART) for part in place.parts] if place else []
    return (
        _article(page.article, _OF_AN_ARTICLE),
        page.related,
        (place.series, place.number, parts) if place else None,
    )


def _article(article: Article, names: Iterable[str]) -> tuple[object, ...]:
    return *_values(article, names), [topic.topic for topic in article.topics]


def _values(row: Any, names: Iterable[str]) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in names)


def _mark(*facts: object) -> str:
    return hashlib.blake2b(repr(facts).encode(), digest_size=_BYTES).hexdigest()
