"""What pages are made from, as marks: a page whose mark is that of the last export need not be made again.

A mark is of all that can be seen: the program itself, its settings and templates, `site.toml`, and the rows
that the page shows. Too much in it costs a page that is made for nothing; too little would leave an old one.
"""

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask
from flask import Flask

from blog.articles import lists, reading
from blog.articles.models import Article, Page
from blog.articles.shown import Shown
from blog.content import offers, stamps
from blog.settings import SHIPPED
from blog.web.editions import Edition
from blog.web.pieces import Services

#: Raised when marks of the same things are to be others.
VERSION = 1
_BYTES = 16
_OF_AN_ARTICLE = tuple(sorted(column.key for column in Article.__mapper__.column_attrs))
_OF_A_PART = tuple(name for name in _OF_AN_ARTICLE if name not in lists.NOT_IN_ITEMS)
_OF_A_STANDING_PAGE = tuple(sorted(column.key for column in Page.__mapper__.column_attrs))


class Inputs:
    """Marks what is made from one edition, to be exported with forms that go to `live`."""

    def __init__(self, app: Flask, live: str, edition: Edition | None) -> None:
        services: Services = app.extensions["blog"]
        self._edition, self._content_dir = edition, services.settings.content_dir
        with services.database.reading() as session:
            standing = [_values(page, _OF_A_STANDING_PAGE) for page in reading.pages(session)]
        files = edition.state.marks[-1] if edition else ()
        site = services.site()
        self._topics = {topic.slug: topic for topic in site.topics}
        if services.settings.templates_dir is None:
            # Ours show only the topics of the article itself. Here they are in an order that any other
            # article can change: those that nobody has described stand by how many they have.
            site = replace(site, topics=())
        self._common = _mark(VERSION, _program(), services.settings, live, site, files, standing)

    def of(self, read: Shown | str) -> str:
        """Return the mark of a page or a drawing that shows what was read for it."""
        if isinstance(read, str):
            return _mark(self._common, read)
        topics = [self._topics.get(topic.topic) for topic in read.article.topics]
        return _mark(self._common, _of_page(read), topics)

    def of_everything(self, without: Iterable[str]) -> str:
        """Return the mark of a whole export that leaves out the addresses that begin so; "" if unknown."""
        if self._edition is None:
            return ""
        media = (
            path for path in stamps.files(str(self._content_dir)) if Path(path).suffix.lower() in offers.KINDS
        )
        return _mark(self._common, self._edition.state, tuple(without), stamps.of(media))


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
