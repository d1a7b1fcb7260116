"""Large real blogs, published whole. Set TEST_CORPORA to a folder with one blog in each folder under it."""

import os
from pathlib import Path

import pytest

from blog import clock, create_app
from blog.articles import reading
from blog.articles.publishing import publish
from blog.db import Database
from blog.settings import Settings, load_settings

CORPORA = Path(os.environ.get("TEST_CORPORA", "/nonexistent"))

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="TEST_CORPORA names no folder with real blogs"),
]


@pytest.mark.parametrize(
    "name", sorted(path.name for path in CORPORA.iterdir()) if CORPORA.is_dir() else ["none"]
)
def test_every_post_of_a_real_blog_is_published_and_every_page_answers(
    name: str, database: Database, settings: Settings
) -> None:
    folder = CORPORA / name
    changes, problems = publish(database, folder, clock.now)
    again, _ = publish(database, folder, clock.now)
    print(f"\n{name}: {len(changes.added)} articles, {len(problems)} problems")
    for problem in problems[:12]:
        print(f"  {problem.file}:{problem.line}: {problem.message} — {problem.hint}")
    assert (again.added, again.changed, again.removed) == ([], [], [])
    app = create_app(load_settings(**{**settings.model_dump(), "content_dir": folder}))
    client = app.test_client()
    with database.reading() as session:
        slugs = [article.slug for article in reading.all_live(session, clock.now())]
        topics = [topic.slug for topic in reading.topics(session, clock.now())]
    assert len(slugs) == len(changes.added)
    pages = ["/", "/archive", "/topics", "/feed.xml", "/sitemap.xml"]
    pages += [f"/articles/{slug}" for slug in slugs]
    pages += [f"/topics/{slug}{end}" for slug in topics for end in ("", "/feed.xml")]
    assert [page for page in pages if client.get(page).status_code != 200] == []
    app.extensions["blog"].database.dispose()
