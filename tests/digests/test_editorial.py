"""The editor's note, subject and pins: in both parts of the mail and on the page, frozen with the issue."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from blog.content.issues import Note
from blog.content.values import Site
from blog.delivery.lint import lint
from blog.delivery.models import Variant
from blog.digests import compose, dispatch, editorial
from blog.digests.dispatch import Office
from blog.digests.models import EditionRow, Issue
from blog.errors import UsageError
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from tests.digests.test_compose import MARKS, edition, filled, press, unstuffed
from tests.digests.test_plan import NOW, article, subscriber

NOTE = """---
cadence: weekly
subject: Mind the queue
pinned: [older]
---

This week is about [queues](/topics/ai) & patience.

![A queue of people](/media/queue.png)

- first
- second
"""


def write(services: Services, name: str, text: str) -> None:
    path = services.settings.content_dir / "issues" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def run(services: Services, cadence: Cadence = Cadence.WEEKLY, days: int = 0) -> int | None:
    office = Office(services.database, services.settings, services.links, Site(name="Signal & System"))
    return dispatch.run(office, cadence, NOW + timedelta(days=days)).issue


def kept(services: Services, issue: int | None) -> tuple[Issue, bytes, list[int]]:
    with services.database.reading() as session:
        found = session.get(Issue, issue)
        variant = session.scalars(select(Variant).where(Variant.mailing_id == issue)).one()
        articles = session.get(EditionRow, variant.id)
    assert found
    assert articles
    return found, variant.template, articles.articles


def test_a_note_is_in_mail_and_page_its_pins_stand_first_and_it_is_used_once(services: Services) -> None:
    write(services, "queues.md", NOTE)
    article(services, "newer", NOW - timedelta(hours=1))
    article(services, "older", NOW - timedelta(hours=9))
    subscriber(services, "ada@example.org")
    issue, raw, articles = kept(services, run(services))
    assert b"\r\nSubject: Mind the queue\r\n" in raw
    assert raw.index(b"/articles/older>") < raw.index(b"/articles/newer>")
    assert articles == [2, 1]
    assert issue.note == "issues/queues.md"
    assert '<a href="https://news.example.org/topics/ai">queues</a> &amp; patience' in issue.web_html
    write(services, "queues.md", NOTE.replace("patience", "haste"))
    article(services, "third", NOW + timedelta(hours=1))
    later, raw, _ = kept(services, run(services, days=1))
    assert later.note is None
    assert b"haste" not in raw


def test_a_note_with_a_day_waits_for_it_and_goes_before_one_for_the_next_issue(services: Services) -> None:
    day = (NOW + timedelta(days=2)).date().isoformat()
    write(services, "dated.md", f"---\ndate: {day}\nsubject: For that day\n---\nHello.\n")
    write(services, "other.md", "---\ncadence: daily\nsubject: For others\n---\nHello.\n")
    article(services, "first", NOW - timedelta(hours=1))
    subscriber(services, "ada@example.org")
    assert kept(services, run(services))[0].note is None
    article(services, "second", NOW + timedelta(hours=1))
    write(services, "next.md", "---\nsubject: For the next\n---\nHello.\n")
    assert kept(services, run(services, days=2))[0].note == "issues/dated.md"


def test_a_note_that_cannot_be_read_stops_the_issue_and_is_named(services: Services) -> None:
    write(services, "bad.md", "---\ncadence: hourly\n---\nHello.\n")
    article(services, "first", NOW - timedelta(hours=1))
    subscriber(services, "ada@example.org")
    with pytest.raises(UsageError, match="issues/bad"):
        run(services)


def test_a_mail_with_a_note_is_as_clean_as_one_without_and_says_the_same_in_both_parts() -> None:
    note = Note("issues/a.md", ("weekly",), None, "", (), NOTE.split("---")[2].strip())
    made = press(editorial=editorial.of(note, "https://news.example.org/"))
    what = edition(["A title"])
    raw = filled(made, what, "ab" * 16, "ada@example.org", "<1@example.org>")
    assert lint(unstuffed(raw)) == []
    email = compose.email_for(made, what, "a@b.test", "<m@b.test>", MARKS)
    assert "about queues <https://news.example.org/topics/ai> & patience." in " ".join(email.text.split())
    assert "[A queue of people]" in email.text
    assert "- first\n- second" in email.text
    assert 'alt="A queue of people"' in email.html
    assert 'src="https://news.example.org/media/queue.png"' in email.html


def test_what_a_note_must_not_hold_does_not_reach_a_mail() -> None:
    body = '<script>alert(1)</script> <a href="javascript:x()">y</a> <img src="x.png" onerror="z()" alt="">'
    found = editorial.of(Note("a.md", (), None, "", (), body), "https://news.example.org/")
    for word in ("script", "onerror", "javascript"):
        assert word not in found.html
