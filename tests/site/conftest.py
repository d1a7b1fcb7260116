"""A small publication for the tests of the pages: two articles, a page, a digest, and `site.toml`."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask

from blog import create_app
from blog.articles.models import Page
from blog.db import Database
from blog.delivery.models import Mailing
from blog.digests.models import Issue
from blog.settings import Settings
from tests.factories import make_article

SITE = """
name = "Signal & System"
tagline = "Notes on building systems."
description = "Insights on AI & security."
timezone = "Europe/Berlin"
accent = "#2A3BE0"

[[topics]]
slug = "systems"
name = "Systems"
description = "What happens between the boxes."

[[topics]]
slug = "quiet"
name = "Quiet"

[[authors]]
slug = "mara-lindqvist"
name = "Mara Lindqvist"
bio = "Mara draws the data flow first."
url = "https://mara.example.org/"

[[authors]]
slug = "quiet-person"
name = "Quiet Person"

[[series]]
slug = "the-quiet-queue"
name = "The Quiet Queue"
description = "How to build a queue that nobody thinks about."

[[navigation]]
label = "Articles"
url = "/"

[[navigation]]
label = "Topics"
url = "/topics"
"""
BODY = """<p>Queues &amp; loops. <a href="/articles/older-piece">Before</a></p>
<h2 id="why">Why<a class="anchor" href="#why" aria-label="Link to section: Why">#</a></h2>
<p><img src="/media/articles/loop.svg" alt="A loop" width="240" height="150"></p>
<pre><code>href="/not/a/link"</code></pre>"""


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application over a small publication."""
    (settings.content_dir / "site.toml").write_text(SITE, encoding="utf-8")
    with database.transaction() as session:
        make_article(session, "older-piece", published_at=datetime(2024, 2, 3, 23, 30, tzinfo=UTC))
        make_article(
            session,
            "backend-2-0",
            title="Backend 2.0: Systems <Thinking> First",
            html=BODY,
            topics=["systems", "back-pressure"],
            contents=[{"id": "why", "title": "Why", "level": 2}, {"id": "how", "title": "How", "level": 2}],
            published_at=datetime(2025, 5, 30, 8, tzinfo=UTC),
            updated_at=datetime(2025, 6, 2, 8, tzinfo=UTC),
        )
        session.add(
            Page(slug="about", source="pages/about.md", title="About", description="", html="<p>Us.</p>")
        )
        _add_issue(session)
    app = create_app(settings)
    app.testing = True
    yield app
    app.extensions["blog"].database.dispose()


def _add_issue(session: object) -> None:
    at = datetime(2025, 6, 6, 7, tzinfo=UTC)
    mailing = Mailing(kind="digest", state="done", envelope_from="news@example.org", created_at=at)
    session.add(mailing)  # type: ignore[attr-defined]
    session.flush()  # type: ignore[attr-defined]
    issue = Issue(
        id=mailing.id,
        cadence="weekly",
        number=14,
        title="Weekly digest No. 14",
        cutoff_at=at,
        web_html='<ol class="list"><li class="item"><h2><a href="/articles/backend-2-0">B</a></h2></li></ol>',
        created_at=at,
    )
    session.add(issue)  # type: ignore[attr-defined]
