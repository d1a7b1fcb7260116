"""What search reads of the articles: brought into line with them in the transaction that changed them.

It looks for rows whose text was made from another rendering, whoever wrote that: after an update, what older
code has synced is caught up with by itself.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

from sqlalchemy import delete, insert, literal, or_, select, text, update
from sqlalchemy.orm import Session

from blog.articles import search_rows
from blog.articles.models import Article, ArticleTopic, SearchPairs, SearchText, SearchWord
from blog.articles.search_rows import Row, Said

#: Changes with the folding, so that the next sync makes every text anew; since 4 with its picture by itself.
EDITIONS = {"sqlite": "1:", "postgresql": "4:"}
#: Articles read and written at a time: a first sync holds some megabytes of texts, not all. They are few, for
#: behind each batch FTS5 writes out what it has gathered.
BATCH = 400
SHORTEST_KNOWN, LONGEST_KNOWN = 3, 30

_COUNT_WORDS = {
    "sqlite": "INSERT INTO search_words (word, articles) SELECT key, value "
    "FROM json_each(:counts) WHERE true "
    "ON CONFLICT (word) DO UPDATE SET articles = search_words.articles + excluded.articles",
    "postgresql": "INSERT INTO search_words (word, articles) "
    "SELECT key, value::integer FROM json_each_text(CAST(:counts AS json)) "
    "ON CONFLICT (word) DO UPDATE SET articles = search_words.articles + excluded.articles",
}

#: New texts wait in a list of their own (one by one they would take twice as long), which every search
#: would read through; so they are sorted in before anybody searches.
_SORT_IN = "SELECT " + ", ".join(
    f"gin_clean_pending_list('gin_search_texts_{column}')" for column in ("title", "keys", "body")
)

#: FTS5 merges so many parts of its index as soon as they are there: with many texts the same words again and
#: again. Meanwhile it is told not to; what it merges all the same (`crisismerge`) keeps the parts few.
MANY, PARTS = 1_000, 4
_MERGES = text("INSERT INTO search_index (search_index, rank) VALUES ('automerge', :parts)")


#: Gives the row of a rendering, where it has been made already.
Made = Callable[[str], Row | None]


def is_told_pairs(dialect: str) -> bool:
    """Whether the index of a database must be told which words stand side by side."""
    return dialect == "postgresql"


def refresh(
    session: Session,
    only: Collection[int] | None = None,
    most: int | None = None,
    made: Made = lambda _rendering: None,
) -> int:
    """Make the search texts of articles (of some `only`) that have none, or one of an earlier rendering.

    Return how many were made; with `most`, no more than so many. What is `made` is not made again.
    """
    query = (
        select(Article.id)
        .outerjoin(SearchText, SearchText.article_id == Article.id)
        .where(or_(SearchText.made_from.is_(None), SearchText.made_from != _source(session)))
        .order_by(Article.id)
        .limit(most)
    )
    if only is not None:
        query = query.where(Article.id.in_(only))
    stale = list(session.scalars(query))
    counts: Counter[str] = Counter()
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    merges = is_sqlite and len(stale) >= MANY
    if merges:
        session.execute(_MERGES, {"parts": 0})
    for start in range(0, len(stale), BATCH):
        _make(session, stale[start : start + BATCH], counts, made)
    if merges:
        session.execute(_MERGES, {"parts": PARTS})
    if stale and not is_sqlite:
        session.execute(text(_SORT_IN))
    _count_words(session, {word: change for word, change in counts.items() if change and _can_be_meant(word)})
    return len(stale)


def _source(session: Session) -> Any:
    return literal(_edition(session)).concat(Article.rendered_hash)


def _edition(session: Session) -> str:
    return EDITIONS[session.get_bind().dialect.name]


def _make(session: Session, stale: list[int], counts: Counter[str], made: Made) -> None:
    before = select(SearchText.article_id, SearchText.body).where(SearchText.article_id.in_(stale))
    old = dict(session.execute(before).all())
    for body in old.values():
        counts.subtract(search_rows.known(body))
    edition, with_pairs = _edition(session), is_told_pairs(session.get_bind().dialect.name)
    rows, pictures = [], []
    for number, rendering, said in _articles(session, stale):
        row = made(rendering) or search_rows.row(said, with_pairs=with_pairs)
        counts.update(search_rows.known(row.body))
        fields = {"title": row.title, "keys": row.keys, "body": row.body, "pairs": None}
        rows.append({"article_id": number, "made_from": edition + rendering} | fields)
        if row.pictures:
            pictures.append({"article_id": number} | row.pictures._asdict())
    changed = [row for row in rows if row["article_id"] in old]
    added = [row for row in rows if row["article_id"] not in old]
    if changed:
        session.execute(update(SearchText), changed)
        session.execute(delete(SearchPairs).where(SearchPairs.article_id.in_(old)))
    if added:
        # What is returned nobody wants: asked for it, SQLAlchemy sends the rows together, and not one by one;
        # behind each statement SQLite's index would write out what it holds, which took twice as long.
        session.execute(insert(SearchText).returning(SearchText.article_id), added)
    if pictures:
        session.execute(insert(SearchPairs).returning(SearchPairs.article_id), pictures)


def _articles(session: Session, ids: list[int]) -> Iterator[tuple[int, str, Said]]:
    """Yield number and rendering of articles, and what they say."""
    topics: dict[int, list[str]] = {}
    named = select(ArticleTopic.article_id, ArticleTopic.topic).where(ArticleTopic.article_id.in_(ids))
    for article, topic in session.execute(named.order_by(ArticleTopic.article_id, ArticleTopic.position)):
        topics.setdefault(article, []).append(topic)
    query = select(
        Article.id,
        Article.rendered_hash,
        Article.title,
        Article.description,
        Article.headings,
        Article.authors,
        Article.extra,
        Article.text,
    )
    for row in session.execute(query.where(Article.id.in_(ids)).order_by(Article.id)):
        beside = (row.headings, row.authors, topics.get(row.id, []), row.extra.get("topic_names", {}))
        yield row.id, row.rendered_hash, Said(row.title, row.description, *beside, row.text)


def _can_be_meant(word: str) -> bool:
    """Whether somebody could have meant a word by another."""
    return SHORTEST_KNOWN <= len(word) <= LONGEST_KNOWN and not word.isdigit()


def _count_words(session: Session, changes: dict[str, int]) -> None:
    if not changes:
        return
    # One statement with all words: a hundred thousand single ones would take PostgreSQL seconds.
    statement = _COUNT_WORDS[session.get_bind().dialect.name]
    session.execute(text(statement), {"counts": json.dumps(dict(sorted(changes.items())))})
    if any(change < 0 for change in changes.values()):
        session.execute(delete(SearchWord).where(SearchWord.articles <= 0))
