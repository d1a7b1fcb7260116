"""Links that show an article before its publication: to whoever has one, to nobody else, and not for ever."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from blog import clock
from blog.articles import sharing, wording
from blog.articles.models import Article
from blog.cli import articles as command
from blog.db import Database
from blog.tokens import Purpose, Tokens
from blog.web.pieces import Services
from tests.factories import make_article, make_subscriber
from tests.site.pages import read

WORD = "Lighthouse keeping"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture
def tokens(app: Flask) -> Tokens:
    made: Services = app.extensions["blog"]
    return made.tokens


@pytest.fixture
def draft(database: Database, app: Flask) -> Article:
    with database.transaction() as session:
        return make_article(
            session, "lighthouse-keeping", status="draft", html="<p>Of lamps.</p>", live_at=None
        )


def link(tokens: Tokens, article: Article, days: int = 14) -> str:
    return f"/drafts/{sharing.token(tokens, article, clock.now(), days)[0]}"


def change(database: Database, **values: object) -> None:
    with database.transaction() as session:
        row = session.query(Article).filter_by(slug="lighthouse-keeping").one()
        for name, value in values.items():
            setattr(row, name, value)


def test_whoever_has_the_link_sees_the_draft_and_until_when(
    client: FlaskClient, tokens: Tokens, draft: Article, app: Flask
) -> None:
    answer = client.get(link(tokens, draft))
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    page = read(answer.text)
    assert "Of lamps." in page.text
    until = wording.long_date(clock.now() + timedelta(days=14), app.extensions["blog"].site())
    assert f"works until {until} and then no more" in " ".join(page.text.split())
    assert page.inline() == []
    assert [tag["content"] for tag in page.all("meta") if tag.get("name") == "robots"] == [
        "noindex, nofollow"
    ]
    assert not [tag for tag in page.all("link") if tag.get("rel") == "canonical"]
    assert page.all("form") == []
    assert "Set-Cookie" not in answer.headers


def test_a_scheduled_article_says_when_it_comes(
    client: FlaskClient, tokens: Tokens, draft: Article, database: Database
) -> None:
    soon = clock.now() + timedelta(days=3)
    change(database, status="published", published_at=soon, live_at=soon)
    text = " ".join(read(client.get(link(tokens, draft)).text).text.split())
    assert "Scheduled This article is to be published on" in text


def test_once_published_the_link_leads_to_the_real_address(
    client: FlaskClient, tokens: Tokens, draft: Article, database: Database
) -> None:
    address = link(tokens, draft)
    change(database, status="published", live_at=clock.now())
    answer = client.get(address)
    assert (answer.status_code, answer.location) == (302, "/articles/lighthouse-keeping")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("gone", ["removed_at", "expires_at"])
def test_what_was_taken_away_is_gone(
    client: FlaskClient, tokens: Tokens, draft: Article, database: Database, gone: str
) -> None:
    address = link(tokens, draft)
    change(database, **{gone: clock.now()})
    answer = client.get(address)
    assert answer.status_code == 410
    assert "Of lamps" not in answer.text
    assert WORD not in answer.text


def test_the_link_ends_at_its_moment(client: FlaskClient, tokens: Tokens, draft: Article) -> None:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        address = link(tokens, draft, days=2)
        traveller.shift(timedelta(days=2) - timedelta(seconds=1))
        assert client.get(address).status_code == 200
        traveller.shift(timedelta(seconds=2))
        assert (over := client.get(address)).status_code == 410
        assert "This link has expired" in over.text
        traveller.shift(timedelta(days=sharing.MOST_DAYS + 1))
        assert client.get(address).status_code == 410


def test_no_other_token_opens_it_and_none_of_these_opens_anything_else(
    client: FlaskClient, tokens: Tokens, draft: Article, database: Database
) -> None:
    with database.transaction() as session:
        person = make_subscriber(session, tokens, "ada@example.org", status="pending")
    good = link(tokens, draft).removeprefix("/drafts/")
    number, rest = good.split("-", 1)
    stranger = Tokens((b"another key of at least thirty-two bytes",))
    wrong = [
        f"{int(number) + 1}-{rest}",
        good[:-1],
        good + "a",
        "x",
        tokens.timed(Purpose.CONFIRM, [str(draft.id), "9999999999"]),
        tokens.timed(Purpose.CONFIRM, [person.public_id, person.nonce]),
        tokens.timed(Purpose.SHARE, [str(draft.id)]),
        tokens.timed(Purpose.SHARE, [str(draft.id), "99999999999999999999"]),
        stranger.timed(Purpose.SHARE, [str(draft.id), "9999999999"]),
    ]
    for token in wrong:
        answer = client.get(f"/drafts/{token}")
        assert answer.status_code == 404, token
        assert "Of lamps" not in answer.text
    assert client.get(f"/confirm/{good}").status_code == 404


def test_a_shared_draft_is_nowhere_else(client: FlaskClient, tokens: Tokens, draft: Article) -> None:
    client.get(link(tokens, draft))
    places = ["/", "/archive", "/topics", "/topics/systems", "/feed.xml", "/topics/systems/feed.xml"]
    places += ["/sitemap.xml", "/articles/backend-2-0", "/digests"]
    for place in places:
        text = client.get(place).text
        assert WORD not in text
        assert "lighthouse" not in text
    assert client.get("/articles/lighthouse-keeping").status_code == 404
    assert client.get("/sketches/lighthouse-keeping.svg").status_code == 404


@pytest.fixture
def share(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(command, "open_services", lambda: app.extensions["blog"])
    return lambda *arguments: CliRunner().invoke(command.share, [*arguments])


def test_the_command_prints_a_link_that_works(
    share: Callable[..., Result], client: FlaskClient, draft: Article, app: Flask
) -> None:
    for name in ("lighthouse-keeping", "articles/lighthouse-keeping.md"):
        done = share(name)
        assert done.exit_code == 0
        assert done.stdout.startswith("https://news.example.org/drafts/")
        assert client.get(done.stdout.strip().removeprefix("https://news.example.org")).status_code == 200
        assert "Works until" in done.stderr
    file = app.extensions["blog"].settings.content_dir / "articles/lighthouse-keeping.md"
    file.write_text("# x")
    assert json.loads(share(str(file), "--days", "1", "--json").stdout)["slug"] == "lighthouse-keeping"
    assert share("backend-2-0").stdout == "https://news.example.org/articles/backend-2-0\n"
    assert "is not in the index" in str(share("nothing").exception)
    assert share("lighthouse-keeping", "--days", "91").exit_code == 2
