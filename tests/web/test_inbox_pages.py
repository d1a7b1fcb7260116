"""The pages of the development inbox: a mail is shown, and can do nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blog import create_app
from blog.db import Database
from blog.settings import Settings
from tests.site.pages import read

MESSAGE = b"""From: News <news@example.org>\r
To: ada@example.com\r
Subject: One <click> to confirm\r
Date: Fri, 30 May 2025 10:00:00 +0200\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="x"\r
\r
--x\r
Content-Type: text/plain; charset=utf-8\r
\r
Open https://news.example.org/confirm/abc <script>1</script>\r
--x\r
Content-Type: text/html; charset=utf-8\r
\r
<p style="color:red" onclick="x()">Hello</p>\r
--x--\r
"""


@pytest.fixture
def inbox(settings: Settings, database: Database, tmp_path: Path) -> Iterator[FlaskClient]:
    """A demo with one mail in its inbox."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "17.eml").write_bytes(MESSAGE)
    app = create_app(settings.model_copy(update={"demo": True, "inbox_dir": folder}))
    yield app.test_client(use_cookies=False)
    app.extensions["blog"].database.dispose()


def test_the_inbox_lists_what_was_sent(inbox: FlaskClient) -> None:
    answer = inbox.get("/dev/inbox")
    assert '<a href="/dev/inbox/17">One &lt;click&gt; to confirm</a>' in answer.text
    assert "May 30, 2025" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert read(answer.text).inline() == []


def test_a_message_is_shown_as_text_with_links_that_work(inbox: FlaskClient) -> None:
    page = inbox.get("/dev/inbox/17").text
    assert '<a href="https://news.example.org/confirm/abc" rel="noopener">' in page
    assert "&lt;script&gt;" in page
    assert read(page).inline() == []
    assert len(read(page).all("h1")) == 1


def test_the_html_part_stays_in_its_sandbox(inbox: FlaskClient) -> None:
    page = inbox.get("/dev/inbox/17")
    frame = read(page.text).all("iframe")[0]
    assert frame["src"] == "/dev/inbox/17/html"
    assert "allow-scripts" not in frame["sandbox"]
    assert "allow-same-origin" not in frame["sandbox"]
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    policy = inbox.get(frame["src"]).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:")
    assert "; sandbox" in policy
    assert "allow-scripts" not in policy


def test_a_message_is_shown_with_what_is_wrong_with_it(inbox: FlaskClient) -> None:
    page = inbox.get("/dev/inbox/17").text
    for problem in (
        "Message-ID occurs 0 times",
        "&lt;p&gt; has an event handler",
        "text/html is not quoted-printable",
    ):
        assert problem in page


def test_an_empty_inbox_says_how_to_fill_it(inbox: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "inbox" / "17.eml").unlink()
    assert "No mail yet" in inbox.get("/dev/inbox").text
    assert inbox.get("/dev/inbox/17").status_code == 404
