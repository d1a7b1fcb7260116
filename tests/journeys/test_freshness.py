"""Two servers over one database: what changes on one is on both within a second, whoever changed it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blog.articles.models import ContentVersion
from blog.db import Database
from blog.delivery.models import Mailing
from blog.digests.models import Correction, Issue
from tests.factories import make_article
from tests.journeys.installation import Installation, free_port

pytestmark = pytest.mark.slow

SECOND = 1.0
#: What a busy machine may add between a change and our clock's starting.
GRACE = 0.3


@pytest.fixture
def servers(database_url: str, tmp_path: Path) -> Iterator[list[Installation]]:
    """Two servers, each of two processes, with every page of theirs in memory."""
    first = Installation(tmp_path, database_url, smtp_port=1, port=free_port())
    (first.content / "articles").mkdir(parents=True)
    (first.content / "site.toml").write_text('name = "Before"\n')
    (tmp_path / "templates" / "digests").mkdir(parents=True)
    first.extra["BLOG_TEMPLATES_DIR"] = str(tmp_path / "templates")
    first.write("standing", title="Standing", date="2026-01-02")
    first.blog("sync")
    second = replace(first, port=free_port())
    with ExitStack() as stack:
        for server in (first, second):
            stack.enter_context(server.serving(workers=2))
        yield [first, second]


def seen_after(servers: list[Installation], path: str, seen: Callable[[str], bool]) -> float:
    """Return after how many seconds every process shows it: several answers in a row, from each server."""
    began = time.monotonic()
    last_without = began
    while time.monotonic() - began < 10:
        for server in servers:
            for _ in range(6):
                if not seen(server.get(path).body):
                    last_without = time.monotonic()
        if time.monotonic() - last_without > 1.5 * SECOND:
            return last_without - began
        time.sleep(0.02)
    raise AssertionError(f"{path}: not seen on every process within 10 seconds")


def test_a_change_anywhere_is_seen_everywhere_within_a_second(
    servers: list[Installation], database_url: str
) -> None:
    one = servers[0]
    for server in servers:
        for _ in range(20):
            assert "Standing" in server.get("/").body
            assert "No digest" in server.get("/digests").body

    one.write("standing", title="Standing taller", date="2026-01-02")
    one.blog("sync")
    assert seen_after(servers, "/", lambda body: "Standing taller" in body) <= SECOND + GRACE

    due = datetime.now(UTC) + timedelta(seconds=3)
    end = due + timedelta(seconds=4)
    schedule(database_url, due, end)
    assert "For a while" not in one.get("/").body
    for moment, there in ((due, True), (end, False)):
        time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
        shown = seen_after(servers, "/", lambda body, there=there: ("For a while" in body) is there)  # type: ignore[misc]
        assert shown <= SECOND + GRACE

    (one.content / "site.toml").write_text('name = "After"\n')
    assert seen_after(servers, "/", lambda body: "<title>After" in body) <= SECOND + GRACE

    issue = open_an_issue(database_url)
    assert seen_after(servers, "/digests", lambda body: "Weekly digest No. 1" in body) <= SECOND + GRACE

    page = f"/digests/{issue}"
    assert "<p>New.</p>" in one.get(page).body
    mend(database_url, issue)
    assert seen_after(servers, page, lambda body: "<p>Mended.</p>" in body) <= SECOND + GRACE

    own = one.folder / "templates" / "digests" / "index.html"
    own.write_text("{% extends 'ours/digests/index.html' %}{% block title %}Ours{% endblock %}")
    assert seen_after(servers, "/digests", lambda body: "<title>Ours</title>" in body) <= SECOND + GRACE
    own.write_text("{% extends 'ours/digests/index.html' %}{% block title %}Ours, too{% endblock %}")
    assert seen_after(servers, "/digests", lambda body: "<title>Ours, too</title>" in body) <= SECOND + GRACE


def schedule(database_url: str, due: datetime, end: datetime) -> None:
    """Store an article for a few seconds, as a sync does; starting a process would take as long."""
    database = Database(database_url)
    with database.transaction() as session:
        make_article(session, "later", title="For a while", published_at=due, live_at=due, expires_at=end)
        session.query(ContentVersion).one().version = "with one more"
    database.dispose()


def open_an_issue(database_url: str) -> int:
    database = Database(database_url)
    at = datetime.now(UTC)
    with database.transaction() as session:
        mailing = Mailing(kind="digest", state="done", envelope_from="news@example.org", created_at=at)
        session.add(mailing)
        session.flush()
        values = {"cadence": "weekly", "number": 1, "title": "Weekly digest No. 1", "web_html": "<p>New.</p>"}
        session.add(Issue(id=mailing.id, cutoff_at=at, created_at=at, **values))
        number = mailing.id
    database.dispose()
    return number


def mend(database_url: str, issue: int) -> None:
    """Store a correction, as `blog digest correct` does."""
    database = Database(database_url)
    at = datetime.now(UTC)
    with database.transaction() as session:
        session.add(Correction(issue_id=issue, at=at, note="Mended.", web_html="<p>Mended.</p>"))
    database.dispose()
