"""Which articles to show under another, and the line that says why.

First what the author picked; then what is alike in its words, a little helped by nearness in time; and where
nothing is alike enough, the newest of the same topic, called just that. Computed when content changes, and
stored with its reason: no page waits for it, and page, feed and mail show the same.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, text
from sqlalchemy.orm import Session

from blog.articles.choosing import Chooser, Document, Neighbour
from blog.articles.models import (
    Article,
    ArticleStatus,
    ArticleTopic,
    ContentVersion,
    Redirect,
    RelatedArticle,
)
from blog.articles.remembered import Remembered
from blog.articles.space import Space, can_mend, compare, mend
from blog.articles.terms import Counted, counted

Cards = dict[int, list[Neighbour]]

#: One statement with all cards, three times as many as the articles: of rows, SQLAlchemy would look at each
#: value, and nothing else of a first sync goes on meanwhile.
_STORE = {
    "sqlite": "INSERT INTO related_articles (article_id, position, related_id, kind, score, reason) "
    "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
    "json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]') "
    "FROM json_each(:rows)",
    "postgresql": "INSERT INTO related_articles (article_id, position, related_id, kind, score, reason) "
    "SELECT (value ->> 0)::integer, (value ->> 1)::integer, (value ->> 2)::integer, value ->> 3, "
    "(value ->> 4)::float, value ->> 5 FROM json_array_elements(CAST(:rows AS json))",
}


@dataclass(frozen=True)
class Material:
    """What the choice is made from; `filled` are the articles that now show others of their topic only."""

    documents: list[Document]
    topic_names: dict[str, str]
    filled: set[int]


def read(session: Session, now: datetime) -> Material:
    """Return what the choice is made from, without the texts."""
    filled = select(RelatedArticle.article_id).where(RelatedArticle.kind == "topic").distinct()
    return Material(_documents(session, now), _topic_names(session), set(session.scalars(filled)))


def counts(session: Session, ids: Collection[int]) -> dict[int, Counted]:
    """Return the words of articles."""
    query = select(Article.id, Article.title, Article.headings, Article.text).where(Article.id.in_(ids))
    return {row.id: counted(row.title, row.headings, row.text) for row in session.execute(query)}


def to_count(documents: Sequence[Document], known: Remembered | None) -> list[int]:
    """Return the articles whose words must be counted: all, or the few that changed since they were known."""
    changed = [item.id for item in documents if not known or known.articles.get(item.id) != item.fingerprint]
    if known and can_mend(known.space, len(documents) - len(changed), len(changed)):
        return changed
    return [item.id for item in documents]


def compared(
    documents: Sequence[Document], words: Mapping[int, Counted], known: Remembered | None
) -> tuple[Space, set[int]]:
    """Return the documents compared, and the numbers of those whose neighbours may be others than before."""
    if known is None or len(words) == len(documents):
        return compare([words[item.id] for item in documents]), set(range(len(documents)))
    numbers = {article: number for number, article in enumerate(known.articles)}
    return mend(known.space, [words.get(item.id, numbers.get(item.id, 0)) for item in documents])


def neighbours(material: Material, space: Space, numbers: Collection[int]) -> Cards:
    """Return the cards of some documents, best first; the same documents always give the same cards."""
    documents = material.documents
    chooser = Chooser(documents, space, material.topic_names)
    return {
        item.id: chooser.cards(number)
        for number, item in enumerate(documents)
        if number in numbers or item.id in material.filled
    }


def store(session: Session, found: Cards, documents: Sequence[Document]) -> None:
    """Keep the cards, and give what is published a version that says so."""
    rows = [
        (article, position, card.id, card.kind, card.score, card.reason)
        for article, cards in found.items()
        for position, card in enumerate(cards)
    ]
    if len(found) == len(documents):
        session.execute(delete(RelatedArticle))
    else:
        stale = set(session.scalars(select(RelatedArticle.article_id).distinct()))
        stale -= {item.id for item in documents} - found.keys()
        session.execute(delete(RelatedArticle).where(RelatedArticle.article_id.in_(stale)))
    session.execute(text(_STORE[session.get_bind().dialect.name]), {"rows": json.dumps(rows)})
    kept = session.get_one(ContentVersion, 1)
    kept.version = hashlib.sha256(f"{kept.version}{rows}".encode()).hexdigest()
    kept.related_to = kept.version


def _documents(session: Session, now: datetime) -> list[Document]:
    columns = (
        *(Article.id, Article.rendered_hash, Article.published_at, Article.language, Article.series),
        *(Article.authors, Article.pinned, Article.live_at),
    )
    query = select(*columns).where(
        Article.status == ArticleStatus.PUBLISHED,
        Article.removed_at.is_(None),
        or_(Article.expires_at.is_(None), Article.expires_at > now),
    )
    rows = session.execute(query.order_by(Article.id)).all()
    topics, ids = _topics(session), _ids_by_slug(session)
    return [_document(row, topics, ids, now) for row in rows]


def _document(row: Any, topics: dict[int, list[str]], ids: dict[str, int], now: datetime) -> Document:
    shown = row.published_at <= now and row.live_at is not None and row.live_at <= now
    pinned = tuple(dict.fromkeys(ids[slug] for slug in row.pinned if slug in ids))
    return Document(
        id=row.id,
        published_at=row.published_at,
        rendering=row.rendered_hash,
        # Going live, or what a pin leads to, changes who may be a card as much as a word does.
        fingerprint=f"{row.rendered_hash}{shown:d}{pinned}",
        language=row.language,
        series=row.series,
        authors=tuple(row.authors),
        topics=tuple(topics.get(row.id, ())),
        pinned=pinned,
        shown=shown,
    )


def _topics(session: Session) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = select(ArticleTopic.article_id, ArticleTopic.topic)
    for article, topic in session.execute(query.order_by(ArticleTopic.article_id, ArticleTopic.position)):
        found.setdefault(article, []).append(topic)
    return found


def _ids_by_slug(session: Session) -> dict[str, int]:
    """Return the articles by their present slugs, and by those they once had."""
    former = select(Redirect.path, Redirect.article_id).where(Redirect.path.startswith("/articles/"))
    ids = {path.removeprefix("/articles/"): article for path, article in session.execute(former)}
    return ids | dict(session.execute(select(Article.slug, Article.id)).all())


def _topic_names(session: Session) -> dict[str, str]:
    names: dict[str, str] = {}
    query = select(Article.extra).where(Article.removed_at.is_(None)).order_by(Article.id)
    for extra in session.scalars(query):
        names |= extra.get("topic_names", {})
    return names
