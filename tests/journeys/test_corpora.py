"""Large real blogs, published whole. Set TEST_CORPORA to a folder with one blog in each folder under it."""

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from blog import clock, create_app
from blog.articles import reading
from blog.articles.publishing import publish
from blog.content.checks.report import check
from blog.content.values import Problem
from blog.db import Database
from blog.settings import Settings, load_settings

CORPORA = Path(os.environ.get("TEST_CORPORA", "/nonexistent"))

#: What is said of these blogs, and why that is right; anything else must be looked at.
EXPLAINED = {
    r"has the address \S+; this file gets": "two files of one name: two blogs share a folder",
    r"^the image .* leads nowhere": "the collections hold texts, and few of their pictures",
    r"^the link .* leads nowhere": "pictures again, and addresses without `https://` or with brackets",
    r"names a section that is not there": "named as another generator names sections; the right name is told",
    r"^the link has no address": "links to be filled in later",
    r"has no alternative text": "true",
    r"neither a title nor a text": "a file that another generator fills",
    r"on other hosts; they are shown as links": "told once",
    r"the file's modification time is used": "one blog has no dates; told once",
    r"^the key .* is not known": "told once",
}

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="TEST_CORPORA names no folder with real blogs"),
]


NAMES = sorted(path.name for path in CORPORA.iterdir()) if CORPORA.is_dir() else ["none"]


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_a_check_says_of_a_real_blog_is_explained(name: str) -> None:
    report = check(CORPORA / name, clock.now())
    _explain([*report.problems, *report.notices])


def _explain(problems: Iterable[Problem]) -> None:
    """Print how often each explanation holds; one problem that none fits is one too many."""
    counted: Counter[str] = Counter()
    for problem in problems:
        found = [pattern for pattern in EXPLAINED if re.search(pattern, problem.message)]
        assert found, problem
        counted[found[0]] += 1
    for pattern, number in counted.most_common():
        print(f"\n  {number:>5} × {pattern} — {EXPLAINED[pattern]}", end="")


@pytest.mark.parametrize("name", NAMES)
def test_every_post_of_a_real_blog_is_published_and_every_page_answers(
    name: str, database: Database, settings: Settings
) -> None:
    folder = CORPORA / name
    changes, problems = publish(database, folder, clock.now)
    again, _ = publish(database, folder, clock.now)
    print(f"\n{name}: {len(changes.added)} articles, {len(problems)} problems")
    _explain(problems)
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
