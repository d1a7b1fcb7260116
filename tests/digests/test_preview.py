"""Looking before sending: as anybody gets it, as a test, and all of it on the real list; nothing is kept."""

import email
import email.policy
import json
from datetime import timedelta
from pathlib import Path

import pytest

from blog.delivery import suppression
from blog.delivery.lint import lint
from blog.delivery.suppression import Reason
from blog.settings import Settings
from blog.subscribers import directory
from blog.web.pieces import Services
from tests.commanding import blog, blog_json, refused
from tests.digests.test_editorial import NOTE, write
from tests.digests.test_plan import NOW, article, run, subscriber
from tests.house_rules.test_routes import fingerprint
from tests.relay import Script, relay


@pytest.fixture
def ready(services: Services) -> Services:
    """Two articles, three readers."""
    article(services, "on-ai", NOW - timedelta(days=1), ["ai"])
    article(services, "on-security", NOW - timedelta(days=1), ["security"])
    article(services, "ahead", NOW + timedelta(days=3), ["security"])
    subscriber(services, "ada@example.org")
    subscriber(services, "bob@example.org", "ai")
    subscriber(services, "cy@example.org", "gardening")
    subscriber(services, "dee@example.org", cadence="daily")
    return services


def test_a_preview_is_what_that_reader_would_get_and_stores_nothing(
    ready: Services, settings: Settings, tmp_path: Path
) -> None:
    before = fingerprint(ready.database)
    text = blog(settings, "digest", "preview", "--cadence", "weekly", "--as", "bob@example.org")
    assert "/articles/on-ai" in text
    assert "/articles/on-security" not in text
    html = blog(settings, "digest", "preview", "--cadence", "weekly", "--as", "ada@example.org", "--html")
    assert html.lower().startswith("<!doctype html>")
    assert "/articles/on-security" in html
    assert "/unsubscribe/only-in-the-mail-itself" in html
    told = blog(
        settings, "digest", "preview", "--cadence", "weekly", "--html", "--output", str(tmp_path / "a.html")
    )
    assert told.startswith("Written to")
    assert (tmp_path / "a.html").read_text().lower().startswith("<!doctype html>")
    assert fingerprint(ready.database) == before


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--cadence", "weekly", "--as", "cy@example.org"), "nothing new for cy@example.org"),
        (("--cadence", "weekly", "--as", "dee@example.org"), "hears daily"),
        (
            (
                "--cadence",
                "monthly",
            ),
            "nothing new for anybody",
        ),
        (("--cadence", "weekly", "--as", "eve@example.org"), "nobody subscribes as eve"),
        (("--cadence", "weekly", "--as", "eve"), "incomplete"),
        ((), "give the number of an issue, or --cadence"),
        (("7",), "there is no issue 7"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(
    ready: Services, settings: Settings, arguments: tuple[str, ...], part: str
) -> None:
    assert part in refused(settings, "digest", "preview", *arguments)


def test_an_issue_is_shown_as_it_was_frozen(ready: Services, settings: Settings) -> None:
    issue = str(run(ready, NOW).issue)
    assert "/articles/on-security" not in blog(
        settings, "digest", "preview", issue, "--as", "bob@example.org"
    )
    assert "/articles/on-ai" in blog(settings, "digest", "preview", issue)
    assert f"blog why cy@example.org {issue}" in refused(
        settings, "digest", "preview", issue, "--as", "cy@example.org"
    )


def test_a_test_goes_through_the_relay_marked_and_counts_nowhere(ready: Services, settings: Settings) -> None:
    issue = str(run(ready, NOW).issue)
    before = fingerprint(ready.database)
    with relay() as server:
        port = {"mail_port": str(server.port)}
        blog(settings, "digest", "test", issue, "--to", "me@example.org", **port)
        told = blog(
            settings, "digest", "test", issue, "--as", "bob@example.org", "--to", "me@example.org", **port
        )
    assert "The relay said: 250 2.0.0 queued" in told
    assert [message.recipient for message in server.messages] == ["me@example.org"] * 2
    for message in server.messages:
        assert lint(message.raw) == []
    read = email.message_from_bytes(server.messages[1].raw, policy=email.policy.default)
    assert str(read["Subject"]) == "[Test] On ai"
    assert str(read["To"]) == "me@example.org"
    assert fingerprint(ready.database) == before
    assert server.script.violations == []


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        ("rcpt 550 5.1.1 who?", "refused it: 550 5.1.1 who?"),
        ("dot 554 5.6.0 no", "refused it: 554 5.6.0 no"),
        ("drop after dot, accepted", "nobody knows whether"),
        ("mail 421", "refused it: 421 4.3.2 closing"),
    ],
)
def test_a_test_that_does_not_arrive_says_why(
    ready: Services, settings: Settings, fault: str, part: str
) -> None:
    with relay(Script(fault=lambda _: fault)) as server:
        told = refused(
            settings,
            "digest",
            "test",
            "--cadence",
            "weekly",
            "--to",
            "me@example.org",
            mail_port=str(server.port),
        )
    assert part in told


def test_a_test_goes_to_nobody_who_must_not_be_mailed(ready: Services, settings: Settings) -> None:
    with ready.database.transaction() as session:
        ada = directory.by_key(session, "ada@example.org")
        assert ada
        suppression.suppress(session, ada.address_hash, Reason.COMPLAINED, NOW)
    assert "never to be mailed" in refused(
        settings, "digest", "test", "--cadence", "weekly", "--to", "ada@example.org"
    )


def test_a_rehearsal_tells_who_gets_what_now_and_ahead_and_stores_nothing(
    ready: Services, settings: Settings
) -> None:
    first = run(ready, NOW)
    write(
        ready,
        "queues.md",
        NOTE.replace("![", "[").replace("/media/queue.png", "/archive"),
    )
    before = fingerprint(ready.database)
    now = blog_json(settings, "digest", "rehearse", "--cadence", "weekly")
    assert (now["eligible"], now["variants"], now["sketches"]) == (0, 0, [])
    ahead = (NOW + timedelta(days=4)).isoformat()
    later = json.loads(blog(settings, "digest", "rehearse", "--cadence", "weekly", "--at", ahead, "--json"))
    assert (later["eligible"], later["variants"], later["note"]) == (1, 1, "issues/queues.md")
    sketch = later["sketches"][0]
    assert (sketch["readers"], sketch["articles"], sketch["samples"]) == (1, ["ahead"], ["ada@example.org"])
    assert 1_000 < sketch["html_octets"] < 80_000
    assert later["since"] == {
        "issue": first.issue, "title": "Weekly digest No. 1", "readers": 2, "new": ["ahead"], "again": [],
    }  # fmt: skip
    told = blog(settings, "digest", "rehearse", "--cadence", "weekly", "--at", ahead)
    assert "1 reader in 1 variant." in told
    assert "new since then: ahead" in told
    assert fingerprint(ready.database) == before


def test_a_rehearsal_says_what_would_stop_the_issue_and_fails(ready: Services, settings: Settings) -> None:
    write(ready, "a.md", "[Nowhere](/nowhere)")
    with pytest.raises(AssertionError, match="NOT READY: the link"):
        blog(settings, "digest", "rehearse", "--cadence", "weekly")
