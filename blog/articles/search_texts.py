"""What search reads of the articles: brought into line with them in the transaction that changed them.

It looks for rows whose text was made from another rendering, whoever wrote that: after an update, what older
code has synced is caught up with by itself.
"""

import json
from collections import Counter
from collections.abc import Collection
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, delete, insert, literal, or_, select, text, update
from sqlalchemy.orm import Session

from blog.articles import pairs
from blog.articles.folding import BREAK, MOST_WORDS, words
from blog.articles.models import Article, ArticleTopic, SearchText, SearchWord

#: Changes with the folding, so that the next sync makes every text anew; since 3 with marks of its pairs.
EDITIONS = {"sqlite": "1:", "postgresql": "3:"}
#: Articles read at a time: a cold sync holds a few megabytes of texts, not all of them.
BATCH = 100
#: Words that a text says often tell what it is about, though no heading has them.
OFTEN, MOST_OFTEN = 3, 40
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


def refresh(session: Session, only: Collection[int] | None = None, most: int | None = None) -> int:
    """Make the search texts of articles (of some `only`) that have none, or one of an earlier rendering.

    Return how many were made; with `most`, no more than so many.
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
        _make(session, stale[start : start + BATCH], counts)
    if merges:
        session.execute(_MERGES, {"parts": PARTS})
    if stale and not is_sqlite:
        session.execute(text(_SORT_IN))
    _count_words(session, {word: change for word, change in counts.items() if change and _can_be_meant(word)})
    return len(stale)


def _source(session: Session) -> Any:
    return literal(EDITIONS[session.get_bind().dialect.name]).concat(Article.rendered_hash)


def _make(session: Session, stale: list[int], counts: Counter[str]) -> None:
    before = select(SearchText.article_id, SearchText.body).where(SearchText.article_id.in_(stale))
    old = dict(session.execute(before).all())
    for body in old.values():
        counts.subtract(set(pairs.unmarked(body).split()))
    needs_pairs, rows = session.get_bind().dialect.name == "postgresql", []
    for article, topics in _articles(session, stale):
        row, said = _row(article, topics)
        counts.update(said)
        row["pairs"] = None
        if needs_pairs:
            in_order = row["body"].split()
            row |= {"pairs": pairs.picture(in_order), "body": pairs.marked(in_order)}
        rows.append(row)
    changed = [row for row in rows if row["article_id"] in old]
    added = [row for row in rows if row["article_id"] not in old]
    if changed:
        session.execute(update(SearchText), changed)
    if added:
        # What is returned nobody wants: asked for it, SQLAlchemy sends the rows together, and not one by one;
        # behind each statement SQLite's index would write out what it holds, which took twice as long.
        session.execute(insert(SearchText).returning(SearchText.article_id), added)


def _articles(session: Session, ids: list[int]) -> list[tuple[Row[Any], list[str]]]:
    topics: dict[int, list[str]] = {}
    named = select(ArticleTopic.article_id, ArticleTopic.topic).where(ArticleTopic.article_id.in_(ids))
    for article, topic in session.execute(named.order_by(ArticleTopic.article_id, ArticleTopic.position)):
        topics.setdefault(article, []).append(topic)
    query = select(
        Article.id,
        _source(session).label("made_from"),
        Article.title,
        Article.description,
        Article.headings,
        Article.authors,
        Article.extra,
        Article.text,
    )
    found = session.execute(query.where(Article.id.in_(ids)).order_by(Article.id))
    return [(row, topics.get(row.id, [])) for row in found]


def _row(article: Row[Any], topics: list[str]) -> tuple[dict[str, Any], set[str]]:
    """Return the row of an article, and the words in it."""
    title = words(article.title)
    names = article.extra.get("topic_names", {})
    said = [*(str(names.get(topic, "")) for topic in topics), *topics, *map(str, article.headings)]
    fields = [title, *map(words, [*said, *map(str, article.authors), article.description])]
    prose = words(article.text)[:MOST_WORDS]
    times = Counter(prose)
    repeated = [item for item in times.items() if item[1] >= OFTEN]
    often = [word for word, _ in sorted(repeated, key=itemgetter(1), reverse=True)[:MOST_OFTEN]]
    keys = _fields([*fields, *([word] for word in often)])
    text = " ".join([article.title, *map(str, article.headings), article.text])
    # Who looks for "backpressure" finds "back-pressure" too.
    compounds = text.split() if "-" in text else ()
    joined = {"".join(words(word)) for word in compounds if _is_compound(word)} - {""}
    row = {
        "article_id": article.id,
        "made_from": article.made_from,
        "title": " ".join(title),
        "keys": keys,
        "body": _fields([*fields, prose, *([word] for word in sorted(joined))]),
    }
    return row, joined.union(times, *fields)


def _is_compound(word: str) -> bool:
    return "-" in word[1:-1] and "/" not in word


def _fields(fields: list[list[str]]) -> str:
    return f" {BREAK} ".join(" ".join(field) for field in fields if field)


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
