"""The main job over real HTTP and SMTP: a file becomes a page, a stranger a subscriber, one click ends it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blog.delivery.lint import lint
from tests.journeys.installation import Installation, fetch, free_port, link_in, read, text_of
from tests.relay import Relay, relay

SITE = """
name = "Signal & System"
[[topics]]
slug = "ai"
name = "AI"
[[topics]]
slug = "security"
name = "Security"
"""


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    made = Installation(tmp_path, database_url, smtp_port=1, port=free_port())
    made.content.mkdir()
    (made.content / "site.toml").write_text(SITE)
    made.blog("db", "upgrade")
    return made


def sign_up_and_confirm(site: Installation, server: Relay, address: str, **choices: object) -> None:
    answer = site.post("/subscribe", email=address, **choices)
    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers
    site.blog("worker", "--until-idle")
    link = link_in(server.to(address)[-1], "/confirm/")
    for _ in range(3):
        assert site.get(link).status == 200
    assert site.blog_json("subscribers", "show", address)["status"] == "pending"
    assert site.post(link).status == 200
    assert site.blog_json("subscribers", "show", address)["status"] == "active"


def test_from_a_file_to_an_inbox_and_out_again_with_one_click(installation: Installation) -> None:
    site = installation
    yesterday = datetime.now(UTC) - timedelta(days=1)
    site.write("first-piece", title="A First Piece", date=yesterday.isoformat(), tags=["ai"])
    site.write("second-piece", title="A Second Piece", date=yesterday.isoformat(), tags=["security"])
    with relay() as server, site.serving():
        site.smtp_port = server.port
        assert site.blog_json("sync")["added"] == ["first-piece", "second-piece"]
        assert "A First Piece" in site.get("/articles/first-piece").body
        for address in ("/", "/archive", "/topics/ai", "/feed.xml", "/sitemap.xml"):
            assert "first-piece" in site.get(address).body, address

        sign_up_and_confirm(site, server, "ada@example.org")
        sign_up_and_confirm(site, server, "bob@example.org", topics=["security"], cadence="weekly")
        opened = site.blog_json("digest", "run", "--cadence", "weekly")
        assert opened["eligible"] == 2
        issue = str(opened["issue"])
        assert site.blog_json("digest", "status", issue)["pending"] == 2
        site.blog("worker", "--until-idle")
        assert site.blog_json("digest", "status", issue) == {
            "state": "done", "eligible": 2, "accepted": 2, "skipped": 0, "bounced": 0, "failed": 0,
            "uncertain": 0, "pending": 0,
        }  # fmt: skip
        mine, theirs = server.to("ada@example.org")[-1], server.to("bob@example.org")[-1]
        assert "A First Piece" in text_of(mine)
        assert "A First Piece" not in text_of(theirs)
        assert "A Second Piece" in text_of(theirs)
        assert "A First Piece" in site.get(f"/digests/{issue}").body
        for message in server.messages:
            assert lint(message.raw) == []

        assert site.blog_json("digest", "run", "--cadence", "weekly") == {
            "issue": None, "eligible": 0, "variants": 0,
        }  # fmt: skip
        count = len(server.messages)
        site.blog("worker", "--until-idle")
        assert len(server.messages) == count

        header = str(read(mine)["List-Unsubscribe"])
        one_click = header.strip("<>")
        assert read(mine)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert site.get(one_click).status == 200
        assert site.blog_json("subscribers", "show", "ada@example.org")["status"] == "active"
        for body, kind in (
            (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
            (
                b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
                b"One-Click\r\n--b--\r\n",
                "multipart/form-data; boundary=b",
            ),
        ):
            answer = fetch(one_click, body, {"Content-Type": kind})
            assert answer.status == 200
            assert "Location" not in answer.headers
            assert "Set-Cookie" not in answer.headers
        shown = site.blog_json("subscribers", "show", "ada@example.org")
        assert shown["status"] == "unsubscribed"
        assert [event["event"] for event in shown["consent"]] == ["requested", "confirmed", "withdrawn"]

        site.write(
            "third-piece", title="A Third Piece", date=datetime.now(UTC).isoformat(), tags=["security"]
        )
        site.blog("sync")
        opened = site.blog_json("digest", "run", "--cadence", "weekly")
        assert opened["eligible"] == 1
        site.blog("worker", "--until-idle")
        assert len(server.to("ada@example.org")) == 2
        assert "A Third Piece" in text_of(server.to("bob@example.org")[-1])
        assert "A Second Piece" not in text_of(server.to("bob@example.org")[-1])


def test_who_leaves_after_planning_gets_nothing(installation: Installation) -> None:
    site = installation
    with relay() as server, site.serving():
        issue = issue_for_ada(site, server)
        unsubscribe = leave_link(site)
        assert site.post(unsubscribe).status == 200
        count = len(server.messages)
        site.blog("worker", "--until-idle")
        assert [m.recipient for m in server.messages[count:] if "A First Piece" in text_of(m)] == []
        balance = site.blog_json("digest", "status", issue)
        assert (balance["eligible"], balance["skipped"], balance["accepted"]) == (1, 1, 0)


def issue_for_ada(site: Installation, server: Relay) -> str:
    """Publish an article, take one subscriber in, and plan an issue; return its number."""
    site.smtp_port = server.port
    site.write("first-piece", title="A First Piece", date=datetime.now(UTC).isoformat())
    site.blog("sync")
    sign_up_and_confirm(site, server, "ada@example.org")
    return str(site.blog_json("digest", "run", "--cadence", "weekly")["issue"])


def leave_link(site: Installation) -> str:
    """Return the unsubscribe link of the only subscriber, made as the digest makes it."""
    from sqlalchemy import select

    from blog.db import Database
    from blog.subscribers.models import Subscriber
    from blog.tokens import Purpose, Tokens
    from tests.journeys.installation import SECRET

    database = Database(site.database_url)
    with database.reading() as session:
        public_id = session.scalars(select(Subscriber.public_id)).one()
    database.dispose()
    return f"/unsubscribe/{Tokens((SECRET.encode(),)).capability(Purpose.UNSUBSCRIBE, public_id)}"


def test_a_confirmation_waits_for_a_stopped_relay_and_goes_out_as_soon_as_a_worker_finds_it_back(
    installation: Installation,
) -> None:
    site = installation
    site.blog("sync")
    with site.serving():
        site.smtp_port = free_port()
        assert site.post("/subscribe", email="ada@example.org").status == 200
        site.blog("worker", "--until-idle")
        with relay() as server:
            site.smtp_port = server.port
            site.blog("worker", "--until-idle")
            assert site.post(link_in(server.to("ada@example.org")[0], "/confirm/")).status == 200


def test_a_stopped_relay_loses_no_mail_and_is_named_in_one_line(installation: Installation) -> None:
    site = installation
    with relay() as server, site.serving():
        issue = issue_for_ada(site, server)
    site.smtp_port = free_port()
    said = site.blog("worker", "--until-idle", expect=1)
    assert "the mail relay cannot be worked with: 127.0.0.1" in said
    assert site.blog_json("digest", "status", issue)["pending"] == 1
    with relay() as server:
        site.smtp_port = server.port
        site.blog("worker", "--until-idle")
        assert len(server.to("ada@example.org")) == 1
    assert site.blog_json("digest", "status", issue)["accepted"] == 1
