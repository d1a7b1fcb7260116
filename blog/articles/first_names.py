"""What feeds call an article, for good: a year and a slug, those that it had when it first had any.

Stored is it only of articles whose address or year has changed since; of the others it is what they say.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from blog.articles.matching import Known
from blog.articles.models import Article, FirstName
from blog.content.values import ArticleFile


class Name(NamedTuple):
    """The year of an article's date and its slug, as they were first."""

    year: int
    slug: str


def keep(session: Session, known: Iterable[Known], pairs: Iterable[tuple[ArticleFile, Known | None]]) -> None:
    """Store the names of articles that change theirs now, and of those gone whose address is taken."""
    becomes = {row.id: _of(file) for file, row in pairs if row}
    taken = {file.slug for file, row in pairs if not row or row.slug != file.slug}
    lost = {
        row.id: _of(row) for row in known if row.slug in taken or becomes.get(row.id, _of(row)) != _of(row)
    }
    changed = {number: name for number, name in lost.items() if name.slug[0] != "~"}
    if not changed:
        return
    for number in session.scalars(select(FirstName.article_id).where(FirstName.article_id.in_(changed))):
        del changed[number]
    _store(session, changed)


def avoid(session: Session) -> None:
    """Give an article that has come to an address which another had first a name of its own."""
    own = aliased(FirstName)
    taken = (
        select(Article.id, Article.published_at, Article.slug)
        .join(FirstName, FirstName.slug == Article.slug)
        .outerjoin(own, own.article_id == Article.id)
        .where(own.article_id.is_(None))
    )
    # No slug has a dot in it.
    rows = session.execute(taken).all()
    _store(session, {row.id: Name(row.published_at.year, f"{row.slug}.{row.id}") for row in rows})


def named(session: Session, articles: Collection[Article]) -> dict[int, Name]:
    """Return what feeds call these articles, by number."""
    found = {article.id: _of(article) for article in articles}
    columns = select(FirstName.article_id, FirstName.year, FirstName.slug)
    rows = session.execute(columns.where(FirstName.article_id.in_(found)))
    return found | {number: Name(year, slug) for number, year, slug in rows}


def _of(article: ArticleFile | Article | Known) -> Name:
    return Name(article.published_at.year, article.slug)


def _store(session: Session, names: dict[int, Name]) -> None:
    if names:
        rows = [{"article_id": number, **name._asdict()} for number, name in names.items()]
        session.execute(insert(FirstName), rows)
