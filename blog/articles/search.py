"""Search: the same articles in the same order on both databases.

The index of the database finds, as every word is in it; a coarse order (where the words stand, then what is
newest) chooses the best sixty; those are read and ranked here, in the same way whatever the database.
PostgreSQL's own ranking knows no rarity and would read every text that has a common word; FTS5's differs.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal_column, select, table, text
from sqlalchemy.orm import Session, defer

from blog.articles import ranking, snippets, spelling
from blog.articles.asked import Term, terms
from blog.articles.live import live
from blog.articles.models import Article, SearchText
from blog.articles.snippets import Pieces

#: So many are read and ranked; whatever comes behind them keeps the coarse order.
RANKED = 60
_NOT_SHOWN = (defer(Article.html), defer(Article.contents), defer(Article.headings), defer(Article.pinned))


@dataclass(frozen=True)
class Result:
    """An article that was found; its title and a part of its text, cut where a hit begins or ends."""

    article: Article
    title: Pieces
    snippet: Pieces


@dataclass(frozen=True)
class Found:
    """One page of results, how many there are in all, and what was probably meant when there are none."""

    results: list[Result] = field(default_factory=list)
    total: int = 0
    suggestion: str | None = None


def search(session: Session, query: str, now: datetime, limit: int = 20, offset: int = 0) -> Found:
    """Return the live articles that have all words of a query, the best first."""
    wanted = terms(query)
    if not wanted:
        return Found()
    _by_index(session)
    ids, total = _page(session, wanted, now, limit, offset)
    if total == 0:
        return Found(suggestion=_suggestion(session, wanted, now))
    query_articles = select(Article).where(Article.id.in_(ids), *live(now)).options(*_NOT_SHOWN)
    by_id = {article.id: article for article in session.scalars(query_articles)}
    shown = [by_id[number] for number in ids if number in by_id]
    sought = snippets.forms(wanted)
    return Found([_result(article, sought) for article in shown], total)


def _by_index(session: Session) -> None:
    """Have PostgreSQL use the full-text index (a bitmap scan) for common words too.

    It does not know that reading a text is dear, and at a word that half of the articles have it would cut
    every one of them into words: 500 ms instead of 5.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_indexscan = off"))


def _page(
    session: Session, wanted: list[Term], now: datetime, limit: int, offset: int
) -> tuple[list[int], int]:
    """Return one page and the count of all: the first sixty ranked, the others as they come."""
    coarse = _coarse(session, wanted, now)
    first = session.execute(coarse.limit(RANKED)).all()
    total = first[0].total if first else 0
    ranked: list[int] = []
    if offset < RANKED:
        columns = (SearchText.article_id, SearchText.title, SearchText.keys, SearchText.body)
        texts = session.execute(select(*columns).where(SearchText.article_id.in_([row.id for row in first])))
        published = {row.id: row.published_at for row in first}
        rarity = spelling.rarity(session, wanted)
        ranked = ranking.ranked(texts.all(), published, wanted, rarity, now)[offset : offset + limit]
    missing = min(limit, total - offset) - len(ranked)
    if missing > 0:
        rest = session.execute(coarse.offset(max(offset, RANKED)).limit(missing)).all()
        ranked += [row.id for row in rest]
    return ranked, total


def _coarse(session: Session, wanted: list[Term], now: datetime) -> Select[int, datetime, int]:
    places = case((_in(session, "title", wanted), 2), else_=0) + case(
        (_in(session, "keys", wanted), 1), else_=0
    )
    return (
        select(Article.id, Article.published_at, func.count().over().label("total"))
        .with_hint(Article, "INDEXED BY ix_articles_live", "sqlite")
        .where(_in(session, "body", wanted), *live(now))
        .order_by(places.desc(), Article.published_at.desc(), Article.id.desc())
    )


def _in(session: Session, column: str, wanted: list[Term]) -> ColumnElement[bool]:
    if session.get_bind().dialect.name == "sqlite":
        return _in_sqlite(column, wanted)
    return _in_postgresql(column, wanted)


def _in_sqlite(column: str, wanted: list[Term]) -> ColumnElement[bool]:
    asked = " AND ".join(f'"{" ".join(term.words)}"{"*" if term.is_open else ""}' for term in wanted)
    index = table("search_index", literal_column("rowid"))
    match = literal_column("search_index").op("MATCH")(f"{column} : ({asked})")
    return Article.id.in_(select(literal_column("rowid")).select_from(index).where(match))


def _in_postgresql(column: str, wanted: list[Term]) -> ColumnElement[bool]:
    asked = " & ".join(f"'{word}'{':*' if term.is_open else ''}" for term in wanted for word in term.words)
    # Word for word as the index has it: a bound space would not be recognised once a plan is kept.
    vector: ColumnElement[Any] = literal_column(
        f"array_to_tsvector(string_to_array(search_texts.{column}, ' '))"
    )
    query = vector.op("@@")(text(f"CAST(:{column} AS tsquery)").bindparams(bindparam(column, asked)))
    phrases = [
        func.strpos(literal_column(f"(' ' || search_texts.{column} || ' ')"), f" {' '.join(term.words)} ") > 0
        for term in wanted
        if len(term.words) > 1
    ]
    found = select(SearchText.article_id).where(query, *phrases)
    # By itself, so that it is the index that answers and not a look at one text after another.
    alone = found.cte(f"in_{column}").prefix_with("MATERIALIZED")
    return Article.id.in_(select(alone.c.article_id))


def _suggestion(session: Session, wanted: list[Term], now: datetime) -> str | None:
    """Return the query with its unknown words mended, when a reader can find something with it."""
    mended = spelling.mended(session, wanted)
    if not mended:
        return None
    found = session.execute(_coarse(session, terms(mended), now).limit(1)).first()
    return mended if found else None


def _result(article: Article, sought: list[Term]) -> Result:
    title = snippets.marked(article.title, sought)
    prose = article.text or article.excerpt
    return Result(article, title, snippets.snippet(prose, article.description, sought))
