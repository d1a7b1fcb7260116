"""Every route, looked at as a whole: who it is for, and that reading changes nothing."""

import hashlib
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from blog import clock, create_app
from blog.articles import sharing
from blog.db import Base, Database
from blog.delivery.models import Delivery, Mailing
from blog.settings import Settings
from blog.tokens import Purpose, Tokens
from tests.factories import make_article, make_subscriber
from tests.mailings import make_mailing

PUBLIC, TOKEN, SIGNED, BEARER = "public", "token", "signed", "bearer"

#: The reviewed list: a new route fails here until somebody has decided who it is for.
ROUTES = {
    "/": PUBLIC,
    "/<slug>": PUBLIC,
    "/account/<token>": TOKEN,
    "/api/v1/subscriptions": PUBLIC,
    "/archive": PUBLIC,
    "/archive/page/<int:number>": PUBLIC,
    "/articles/<slug>": PUBLIC,
    "/authors": PUBLIC,
    "/authors/<slug>": PUBLIC,
    "/authors/<slug>/feed.json": PUBLIC,
    "/authors/<slug>/feed.xml": PUBLIC,
    "/authors/<slug>/page/<int:number>": PUBLIC,
    "/bounces/<door>": SIGNED,
    "/card.png": PUBLIC,
    "/cards/<slug>.png": PUBLIC,
    "/confirm/<token>": TOKEN,
    "/digests": PUBLIC,
    "/digests/<cadence>/<int:number>": PUBLIC,
    "/digests/<int:issue_id>": PUBLIC,
    "/drafts/<token>": TOKEN,
    "/favicon.ico": PUBLIC,
    "/feed.json": PUBLIC,
    "/feed.xml": PUBLIC,
    "/feeds": PUBLIC,
    "/fonts/<version>/<path:name>": PUBLIC,
    "/healthz": PUBLIC,
    "/icon.svg": PUBLIC,
    "/llms.txt": PUBLIC,
    "/media/<path:name>": PUBLIC,
    "/metrics": BEARER,
    "/move/<token>": TOKEN,
    "/pictures/<int:width>-<version>/<path:name>": PUBLIC,
    "/pictures/<int:width>/<path:name>": PUBLIC,
    "/preferences/<token>": TOKEN,
    "/readyz": PUBLIC,
    "/restore/<token>": TOKEN,
    "/robots.txt": PUBLIC,
    "/series": PUBLIC,
    "/series/<slug>": PUBLIC,
    "/series/<slug>/feed.json": PUBLIC,
    "/series/<slug>/feed.xml": PUBLIC,
    "/opensearch.xml": PUBLIC,
    "/search": PUBLIC,
    "/sitemap.xml": PUBLIC,
    "/sitemaps/<int:number>.xml": PUBLIC,
    "/sketches/<slug>.svg": PUBLIC,
    "/sketches/states/<name>.svg": PUBLIC,
    "/sketches/topics/<slug>.svg": PUBLIC,
    "/speculation-rules.json": PUBLIC,
    "/static/<digest>/<path:name>": PUBLIC,
    "/subscribe": PUBLIC,
    "/theme.css": PUBLIC,
    "/topics": PUBLIC,
    "/topics/<slug>": PUBLIC,
    "/topics/<slug>/feed.json": PUBLIC,
    "/topics/<slug>/feed.xml": PUBLIC,
    "/topics/<slug>/page/<int:number>": PUBLIC,
    "/unsubscribe/<token>": TOKEN,
}
SCANNERS = (
    {},
    {"User-Agent": "Mozilla/5.0 (compatible; BarracudaCentral)", "Accept": "*/*"},
    {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "User-Agent": "Mozilla/5.0 Safe Links"},
)


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["blog"].database.dispose()


def test_every_route_is_on_the_reviewed_list_with_its_guard(app: Flask) -> None:
    found = {rule.rule: app.view_functions[rule.endpoint].guard.value for rule in app.url_map.iter_rules()}
    assert found == ROUTES


def test_reading_any_page_by_any_safe_method_changes_nothing(app: Flask, database: Database) -> None:
    tokens = Tokens(app.extensions["blog"].tokens.keys)
    with database.transaction() as session:
        article = make_article(session, slug="a-first-article")
        draft = make_article(session, slug="a-draft", status="draft")
        person = make_subscriber(session, tokens, "ada@example.org", status="pending")
        make_mailing(session, 3, clock.now())
        values = {
            "slug": article.slug,
            "issue_id": 1,
            "number": 2,
            "digest": "x",
            "name": "x.png",
            "token": [
                tokens.timed(Purpose.CONFIRM, [person.public_id, person.nonce]),
                tokens.capability(Purpose.UNSUBSCRIBE, person.public_id),
                tokens.capability(Purpose.PREFERENCES, person.public_id),
                tokens.timed(Purpose.RESTORE, [person.public_id, person.nonce]),
                tokens.timed(Purpose.ACCOUNT, [person.public_id, person.nonce]),
                tokens.timed(Purpose.MOVE, ["1", person.nonce]),
                sharing.token(tokens, draft, clock.now(), 1)[0],
            ],
        }
    before = fingerprint(database)
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        for address in addresses(rule.rule, values):
            for method in ("GET", "HEAD", "OPTIONS"):
                for headers in SCANNERS:
                    response = client.open(address, method=method, headers=headers)
                    assert response.status_code < 500, (method, address)
                    assert "Set-Cookie" not in response.headers
    assert fingerprint(database) == before


def addresses(rule: str, values: dict[str, object]) -> list[str]:
    """Fill a route's variables in, once with each value."""
    found = [rule]
    for name, value in values.items():
        for converter in ("", "int:", "path:"):
            mark = f"<{converter}{name}>"
            if mark in rule:
                options = value if isinstance(value, list) else [value]
                found = [address.replace(mark, str(option)) for address in found for option in options]
    return found


def fingerprint(database: Database) -> str:
    """Return a hash over every row of every table."""
    digest = hashlib.sha256()
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
            digest.update(f"{table.name}{rows}".encode())
    return digest.hexdigest()


def test_the_fingerprint_sees_a_single_changed_value(database: Database) -> None:
    with database.transaction() as session:
        make_mailing(session, 1, clock.now())
    before = fingerprint(database)
    with database.transaction() as session:
        session.scalars(select(Mailing)).one().state = "paused"
    assert fingerprint(database) != before
    with database.reading() as session:
        assert session.scalars(select(Delivery)).one().state == "planned"
