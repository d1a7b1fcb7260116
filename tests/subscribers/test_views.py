"""The pages of this room, through the real application."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from werkzeug.test import TestResponse

from blog import clock
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.settings import Settings
from blog.subscribers import confirmation, preferences, unsubscribe
from blog.subscribers.models import Subscriber
from blog.tokens import Purpose, Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import event_names, events, fingerprint, outbox, subscriber, subscribers

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def make(database: Database, tokens: Tokens, status: str = "active", **more: str) -> Subscriber:
    with database.transaction() as session:
        return make_subscriber(session, tokens, "jane@example.com", status=status, **more)


def links(tokens: Tokens, row: Subscriber) -> dict[str, str]:
    return {
        "confirm": f"/confirm/{confirmation.token_for(tokens, row)}",
        "unsubscribe": f"/unsubscribe/{unsubscribe.token_for(tokens, row.public_id)}",
        "preferences": f"/preferences/{preferences.token_for(tokens, row.public_id)}",
    }


def sign_up(client: FlaskClient, email: str = "jane@example.com", **form: Any) -> TestResponse:
    headers = form.pop("headers", {})
    return client.post("/subscribe", data={"email": email, **form}, headers=headers)


def test_the_form_offers_what_the_publication_offers(client: FlaskClient) -> None:
    answer = client.get("/subscribe")
    assert answer.status_code == 200
    page = answer.text
    assert 'name="email"' in page
    assert 'name="website"' in page
    assert 'value="weekly" checked' in page
    assert 'value="daily"' not in page, "not on offer here"
    assert 'name="topics" value="systems"' in page


def test_signing_up_stores_a_request_with_its_choices(client: FlaskClient, database: Database) -> None:
    answer = sign_up(
        client,
        cadence="monthly",
        topics=["systems", "security"],
        headers={"Referer": "https://news.example.org/articles/backend-2-0?utm=x"},
    )
    assert answer.status_code == 200
    row = subscriber(database)
    assert (row.status, row.cadence, row.topics) == ("pending", "monthly", "security,systems")
    assert (row.timezone, row.language) == ("Europe/Berlin", "en")
    (asked,) = events(database)
    assert (asked.network, asked.details["page"]) == ("203.0.113.0/24", "/articles/backend-2-0")
    assert asked.wording.startswith("1:")
    assert outbox(database) == ["confirm"]


def test_the_form_under_an_article_asks_for_nothing_but_the_address(
    client: FlaskClient, database: Database
) -> None:
    assert sign_up(client).status_code == 200
    assert (subscriber(database).cadence, subscriber(database).topics) == ("weekly", "")


def test_a_foreign_referrer_is_not_kept(client: FlaskClient, database: Database) -> None:
    sign_up(client, headers={"Referer": "https://evil.example/articles/x"})
    assert "page" not in events(database)[0].details


def test_the_answer_is_the_same_for_every_address(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    with database.transaction() as session:
        for status in ("pending", "active", "unsubscribed"):
            make_subscriber(session, tokens, f"{status}@example.org", status=status)
        for reason in Reason:
            suppressed = tokens.address_hash(f"{reason}-address@example.org")
            suppression.suppress(session, suppressed, reason, NOW)
    addresses = [
        "new@example.org",
        "new@example.org",
        *(f"{status}@example.org" for status in ("pending", "active", "unsubscribed")),
        *(f"{reason}-address@example.org" for reason in Reason),
    ]
    answers = [sign_up(client, address) for address in addresses]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    heads = {tuple(item for item in answer.headers.items() if item[0] != "Date") for answer in answers}
    assert len(heads) == 1
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answers[0].headers


def test_a_filled_trap_gets_the_same_answer_and_stores_nothing(
    client: FlaskClient, database: Database
) -> None:
    honest = sign_up(client, "human@example.org")
    before = fingerprint(database)
    trapped = sign_up(client, website="https://spam.example")
    assert trapped.data == honest.data
    assert fingerprint(database) == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "jane"}, "looks incomplete"),
        ({"email": ""}, "looks incomplete"),
        ({"email": "jane@example.com\r\nBcc: eve@example.org"}, "does not look right"),
        ({"email": "a" * 288 + "@example.com"}, "too long"),
        ({"email": "jane@example.com", "cadence": "hourly"}, "how often"),
        ({"email": "jane@example.com", "cadence": "daily"}, "how often"),
        ({"email": "jane@example.com", "topics": "gossip"}, "does not exist"),
    ],
)
def test_what_cannot_be_used_is_said_and_kept(
    client: FlaskClient, database: Database, form: dict[str, str], words: str
) -> None:
    answer = client.post("/subscribe", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert subscribers(database) == []


def test_what_was_typed_comes_back_escaped(client: FlaskClient) -> None:
    answer = sign_up(client, '"><script>alert(1)</script>', cadence="monthly", topics=["systems"])
    assert answer.status_code == 422
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert 'value="monthly" checked' in answer.text
    assert 'value="systems" checked' in answer.text


@pytest.mark.parametrize(
    ("origin", "status"), [("cross-site", 403), ("same-origin", 200), ("same-site", 200), ("none", 200)]
)
def test_a_form_sent_by_another_site_is_refused(
    client: FlaskClient, database: Database, origin: str, status: int
) -> None:
    assert sign_up(client, headers={"Sec-Fetch-Site": origin}).status_code == status
    assert len(subscribers(database)) == (status == 200)


def test_confirming_goes_from_the_button_to_the_list(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    link = links(tokens, make(database, tokens, "pending"))["confirm"]
    asked = client.get(link)
    assert asked.status_code == 200
    assert '<form method="post"' in asked.text
    assert "j•••@example.com" in asked.text
    assert "jane" not in asked.text

    done = client.post(link)
    assert done.status_code == 200
    assert "You are subscribed" in done.text
    assert links(tokens, subscriber(database))["preferences"] in done.text
    assert subscriber(database).status == "active"

    again = client.post(link)
    assert (again.status_code, client.get(link).status_code) == (200, 200)
    assert "already" in again.text
    assert event_names(database) == ["confirmed"]


def test_an_expired_link_is_gone_and_a_broken_one_unknown(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    row = make(database, tokens, "pending")
    with time_machine.travel(NOW):
        old = confirmation.token_for(tokens, row)
    assert (client.get(f"/confirm/{old}").status_code, client.post(f"/confirm/{old}").status_code) == (
        410,
        410,
    )
    assert (client.get("/confirm/x.y.z").status_code, client.post("/confirm/x.y.z").status_code) == (404, 404)
    assert subscriber(database).status == "pending"


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_one_click_unsubscribes_with_nothing_but_the_address(
    client: FlaskClient, database: Database, tokens: Tokens, kind: str, slash: str
) -> None:
    link = links(tokens, make(database, tokens))["unsubscribe"]
    answer = client.post(link + slash, data=ONE_CLICK, content_type=kind)
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert subscriber(database).status == "unsubscribed"
    (withdrawn,) = events(database)
    assert (withdrawn.event, withdrawn.method) == ("withdrawn", "one-click")
    assert client.post(link + slash, data=ONE_CLICK, content_type=kind).status_code == 200
    assert event_names(database) == ["withdrawn"]


def test_one_click_works_from_another_site_and_with_a_strange_body(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    link = links(tokens, make(database, tokens))["unsubscribe"]
    answer = client.post(
        link, data=b"\xff\x00", content_type="text/plain", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 200
    assert subscriber(database).status == "unsubscribed"


def test_the_page_unsubscribes_by_its_button(client: FlaskClient, database: Database, tokens: Tokens) -> None:
    link = links(tokens, make(database, tokens))["unsubscribe"]
    asked = client.get(link)
    assert (asked.status_code, "j•••@example.com" in asked.text, "jane@" in asked.text) == (200, True, False)
    assert client.post(link).status_code == 200
    assert events(database)[0].method == "page"
    assert "You are unsubscribed" in client.get(link).text


def test_an_unsubscribe_page_gives_away_no_other_link(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    row = make(database, tokens)
    link = links(tokens, row)["unsubscribe"]
    pages = client.get(link).text + client.post(link).text
    assert "/preferences/" not in pages
    assert "/confirm/" not in pages


def test_a_link_of_somebody_erased_is_answered_kindly(client: FlaskClient, tokens: Tokens) -> None:
    link = f"/unsubscribe/{unsubscribe.token_for(tokens, '0' * 32)}"
    assert client.get(link).status_code == 200
    assert client.post(link).status_code == 200


def test_an_unsubscribe_is_never_acknowledged_before_it_is_stored(
    client: FlaskClient, app: Flask, database: Database, tokens: Tokens
) -> None:
    link = links(tokens, make(database, tokens))["unsubscribe"]
    _make_impatient(app.extensions["blog"].database)
    with database.engine.connect() as connection, connection.begin():
        connection.execute(text("UPDATE subscribers SET status = status"))
        answer = client.post(link, data=ONE_CLICK)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert subscriber(database).status == "active"
    assert client.post(link, data=ONE_CLICK).status_code == 200


def _make_impatient(database: Database) -> None:
    """Let a database wait for others no longer than a moment."""
    database.dispose()
    statement = "PRAGMA busy_timeout=50" if database.is_sqlite else "SET lock_timeout='50ms'"

    @event.listens_for(database.engine, "connect")
    def hurry(connection: Any, _record: object) -> None:
        connection.execute(statement)
        if not database.is_sqlite:
            connection.commit()


def test_preferences_are_shown_and_changed(client: FlaskClient, database: Database, tokens: Tokens) -> None:
    row = make(database, tokens, cadence="monthly", topics="systems")
    link = links(tokens, row)["preferences"]
    shown = client.get(link)
    assert shown.status_code == 200
    assert 'value="monthly" checked' in shown.text
    assert 'value="systems" checked' in shown.text
    assert links(tokens, row)["unsubscribe"] in shown.text
    assert "jane@" not in shown.text

    saved = client.post(link, data={"cadence": "weekly", "topics": ["security"]})
    assert saved.status_code == 200
    assert "Saved" in saved.text
    assert 'value="security" checked' in saved.text
    assert (subscriber(database).cadence, subscriber(database).topics) == ("weekly", "security")
    assert event_names(database) == ["changed"]


@pytest.mark.parametrize("form", [{"topics": "gossip"}, {"cadence": "hourly"}, {"cadence": "daily"}])
def test_preferences_that_are_not_on_offer_are_refused(
    client: FlaskClient, database: Database, tokens: Tokens, form: dict[str, str]
) -> None:
    link = links(tokens, make(database, tokens))["preferences"]
    before = fingerprint(database)
    assert client.post(link, data=form).status_code == 422
    assert fingerprint(database) == before


def test_preferences_of_one_who_left_offer_to_come_back(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    link = links(tokens, make(database, tokens, "unsubscribed"))["preferences"]
    for answer in (client.get(link), client.post(link, data={"cadence": "monthly"})):
        assert answer.status_code == 200
        assert "/subscribe" in answer.text
        assert "You are not subscribed" in answer.text
    assert event_names(database) == []


def test_preferences_are_not_changed_by_another_site(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    link = links(tokens, make(database, tokens))["preferences"]
    answer = client.post(link, data={"cadence": "monthly"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert subscriber(database).cadence == "weekly"


def test_links_of_one_purpose_open_no_other_page(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    row = make(database, tokens)
    before = fingerprint(database)
    for mine, link in links(tokens, row).items():
        token = link.rpartition("/")[2]
        for other in {"confirm", "unsubscribe", "preferences"} - {mine}:
            assert client.get(f"/{other}/{token}").status_code == 404
            assert client.post(f"/{other}/{token}").status_code == 404
    timed = tokens.timed(Purpose.UNSUBSCRIBE, [row.public_id])
    assert client.post(f"/unsubscribe/{timed}").status_code == 404
    assert fingerprint(database) == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_a_page_changes_nothing(
    client: FlaskClient, database: Database, tokens: Tokens, method: str
) -> None:
    row = make(database, tokens, "pending")
    paths = ["/subscribe?email=eve@example.org&cadence=weekly", *links(tokens, row).values()]
    before = fingerprint(database)
    for _ in range(25):
        for path in paths:
            client.open(path, method=method, headers={"Purpose": "prefetch", "User-Agent": "SafeLinks"})
            client.open(path + "?confirm=1&List-Unsubscribe=One-Click", method=method)
    assert fingerprint(database) == before


def test_pages_behind_a_link_are_kept_by_nobody(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    for link in links(tokens, make(database, tokens, "pending")).values():
        for answer in (client.get(link), client.post(link)):
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "noindex" in answer.headers["X-Robots-Tag"]
            assert "Set-Cookie" not in answer.headers


def test_no_page_has_a_script(client: FlaskClient, database: Database, tokens: Tokens) -> None:
    link = links(tokens, make(database, tokens, "pending"))["confirm"]
    assert "<script" not in client.get(link).text
    assert "<script" not in client.get("/subscribe").text


def test_a_long_ago_subscriber_may_leave_and_come_back(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    row = make(database, tokens, now=NOW)  # type: ignore[arg-type]
    client.post(links(tokens, row)["unsubscribe"])
    sign_up(client)
    assert subscriber(database).status == "unsubscribed"
    client.post(links(tokens, subscriber(database))["confirm"])
    assert subscriber(database).status == "active"
    assert event_names(database) == ["withdrawn", "requested", "confirmed"]
    with database.reading() as session:
        assert suppression.reason_for(session, row.address_hash) is None
    assert subscriber(database).confirmed_at <= clock.now()  # type: ignore[operator]


def test_the_answer_to_everybody_is_made_once_and_follows_the_publication(
    client: FlaskClient, settings: Settings
) -> None:
    def answer(number: int) -> str:
        said = client.post("/subscribe", data={"email": f"reader{number}@example.org"})
        assert said.headers["Cache-Control"] == "no-store"
        return said.text

    first = answer(1)
    assert answer(2) == first
    described = settings.content_dir / "site.toml"
    described.write_text(described.read_text().replace("Signal & System", "Another Name"))
    with time_machine.travel(clock.now() + timedelta(seconds=1)):
        assert "Another Name" in answer(3), "as soon as pages do"
