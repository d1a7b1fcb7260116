"""A subscriber's own language: chosen in the preferences, then spoken by mails and the pages behind them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog import create_app, language
from blog.content.values import Site
from blog.db import Database
from blog.delivery.lint import lint
from blog.delivery.mime import serialise
from blog.settings import Settings
from blog.subscribers import preferences, unsubscribe
from blog.subscribers.emails import Letterhead
from blog.subscribers.models import Mail, Subscriber
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.site.pages import read
from tests.subscribers.conftest import SITE
from tests.subscribers.rows import events, subscriber
from tests.subscribers.test_emails import NOW, head, prepared, rendered

__all__ = ["head"]
TAGS = ("en", "de", "ar")
OFFER = 'languages = ["en", "de", "ar"]\n'


@pytest.fixture
def offer() -> str:
    return OFFER


@pytest.fixture
def app(settings: Settings, database: Database, offer: str) -> Iterator[Flask]:
    (settings.content_dir / "site.toml").write_text(offer + SITE, encoding="utf-8")
    made = create_app(settings)
    yield made
    made.extensions["blog"].database.dispose()


def make(database: Database, tokens: Tokens, tag: str = "en") -> Subscriber:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, now=datetime(2025, 5, 1, tzinfo=UTC))
        row.language = tag
    return row


def preferences_of(tokens: Tokens, row: Subscriber) -> str:
    return f"/preferences/{preferences.token_for(tokens, row.public_id)}"


@pytest.mark.sqlite("the wording of a mail does not depend on the database")
@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("kind", list(Mail))
def test_each_mail_speaks_the_language_of_its_reader(
    database: Database, head: Letterhead, kind: Mail, tag: str
) -> None:
    head = replace(head, site=replace(head.site, languages=TAGS))
    row = prepared(database, head, kind)
    with database.transaction() as session:
        session.query(Subscriber).update({"language": tag})
    email = rendered(database, head, row)
    assert email is not None
    way = language.direction(tag)
    marked = [box for box in read(email.html).tags if box[1].get("lang") == tag and box[1].get("dir") == way]
    assert [name for name, _ in marked][:2] == ["html", "div"], "again inside: mail programs drop <html>"
    assert lint(serialise(email, NOW)) == []
    assert "%(" not in email.subject + email.text + email.html
    if tag == "ar" and kind is not Mail.WELCOME:
        assert any("\u0600" <= letter <= "\u06ff" for letter in email.subject)
    if tag != "en":
        assert "this mail" not in email.text + email.html


@pytest.mark.parametrize("tag", TAGS)
def test_pages_behind_a_persons_link_speak_with_them(
    client: FlaskClient, database: Database, services_tokens: Tokens, tag: str
) -> None:
    row = make(database, services_tokens, tag)
    leaving = f"/unsubscribe/{unsubscribe.token_for(services_tokens, row.public_id)}"
    client.get("/subscribe")  # what all public pages have in common is kept from here on
    for answer in (
        client.get(preferences_of(services_tokens, row)),
        client.post(preferences_of(services_tokens, row), data={"paused_until": "1999-01-01"}),
        client.get(leaving),
        client.post(leaving),
    ):
        (html,) = read(answer.text).all("html")
        assert (html["lang"], html["dir"]) == (tag, language.direction(tag))
        assert f'<a href="/archive">{language.say(tag, "Archive")}</a>' in answer.text
        own = ' lang="en" dir="ltr"'
        assert (f"<ul{own}>" in answer.text) == (tag != "en"), "the publisher's own words say what they are"
    public = client.get("/authors").text
    (html,) = read(public).all("html")
    assert html["lang"] == "en", "a public page is the same for everybody"
    assert '<a href="/archive">Archive</a>' in public


@pytest.fixture
def services_tokens(app: Flask) -> Tokens:
    tokens: Tokens = app.extensions["blog"].tokens
    return tokens


def test_the_choice_is_stored_recorded_and_told(
    client: FlaskClient, database: Database, services_tokens: Tokens
) -> None:
    row = make(database, services_tokens)
    page = preferences_of(services_tokens, row)
    shown = client.get(page).text
    assert '<option value="ar" lang="ar" dir="rtl">العربية</option>' in shown
    assert '<option value="en" selected>English</option>' in shown
    saved = client.post(page, data={"cadence": "weekly", "timezone": row.timezone, "language": "ar"})
    assert saved.status_code == 200
    assert "تم الحفظ" in saved.text
    assert subscriber(database).language == "ar"
    (event,) = events(database)
    assert (event.event, event.details["language"]) == ("changed", "ar")
    client.post(page, data={"cadence": "monthly", "timezone": row.timezone})
    assert subscriber(database).language == "ar", "a form without the question changes nothing"
    assert "language" not in events(database)[-1].details


def test_what_is_not_on_offer_is_refused(
    client: FlaskClient, database: Database, services_tokens: Tokens
) -> None:
    row = make(database, services_tokens)
    form = {"cadence": "weekly", "timezone": row.timezone, "language": "nl"}
    assert client.post(preferences_of(services_tokens, row), data=form).status_code == 422
    assert subscriber(database).language == "en"


@pytest.mark.parametrize("offer", ["", 'language = "de"\n'])
def test_with_one_language_there_is_no_question_and_everybody_hears_it(
    client: FlaskClient, database: Database, services_tokens: Tokens, offer: str
) -> None:
    page = client.get(preferences_of(services_tokens, make(database, services_tokens, "ar"))).text
    assert 'name="language"' not in page
    assert read(page).all("html")[0]["lang"] == ("de" if offer else "en")


def test_a_letterhead_without_a_choice_speaks_as_the_site_does(tmp_path: Path, site: Site) -> None:
    assert site.speaking("ar") is site
    offered = replace(site, languages=TAGS)
    assert (offered.speaking("ar").language, offered.speaking("ar").written_in) == ("ar", "en")
    assert offered.speaking("nl") is offered
