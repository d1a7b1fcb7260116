"""An article is either live or withheld, whatever its dates say."""

from datetime import timedelta
from itertools import product

from sqlalchemy import select, update

from blog.articles.live import live, withheld
from blog.articles.models import Article, ArticleStatus
from blog.db import Database
from tests.articles.files import NOW, article_file, synced

DAY = timedelta(days=1)


def test_what_is_withheld_is_all_that_is_not_live(database: Database) -> None:
    dates = [NOW - DAY, NOW, NOW + DAY]
    states = list(product(ArticleStatus, dates, [*dates, None], [*dates, None], [NOW, None]))
    synced(database, *(article_file(f"a{number:03}", "Prose.") for number in range(len(states))))
    with database.transaction() as session:
        for number, state in enumerate(states):
            names = ("status", "published_at", "live_at", "expires_at", "removed_at")
            changed = update(Article).where(Article.slug == f"a{number:03}")
            session.execute(changed.values(dict(zip(names, state, strict=True))))
    with database.reading() as session:
        seen = set(session.scalars(select(Article.id).where(*live(NOW))))
        kept = set(session.scalars(withheld(NOW)))
        everything = set(session.scalars(select(Article.id)))
    assert seen
    assert (seen | kept, seen & kept) == (everything, set())
