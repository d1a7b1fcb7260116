"""The whole way: a form, a mail over a real relay, a link, a press."""

import io
import logging
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blog import clock, logs
from blog.content.site import cached_site
from blog.db import Database
from blog.delivery import outbox
from blog.delivery.lint import lint
from blog.delivery.mail import mail
from blog.delivery.states import Owner
from blog.subscribers import account, confirmation, emails, preferences
from blog.web.pieces import Services
from tests.smtp_server import Server, free_port, smtp_server
from tests.subscribers.rows import event_names, subscriber


@pytest.fixture
def post(app: Flask, services: Services) -> Callable[..., int]:
    """Send what is due, as the worker does; return how many mails were tried."""

    def run(port: int, later: timedelta = timedelta()) -> int:
        app.config["MAIL_PORT"] = port
        mail.init_app(app)
        site = cached_site(services.settings.content_dir)
        render = emails.renderer(services.settings, services.tokens, services.links, site)
        owner = Owner("host/0", "host/0/run")
        tried = 0
        with app.app_context():
            while outbox.run_once(services.database, render, owner, lambda: clock.now() + later):
                tried += 1
        return tried

    return run


def link_in(server: Server) -> str:
    raw = server.taken[-1].raw
    assert lint(raw) == []
    message = message_from_bytes(raw, policy=policy.default)
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    return re.search(r"https://news\.example\.org(/\S+/\S+)", text)[1]  # type: ignore[index]


def test_a_reader_gets_from_the_form_to_the_list(
    client: FlaskClient, database: Database, post: Callable[..., int]
) -> None:
    client.post("/subscribe", data={"email": "jane@straße.de", "cadence": "monthly"})
    with smtp_server() as server:
        assert post(server.port) == 1
        assert server.taken[0].recipients == ["jane@xn--strae-oqa.de"]
        link = link_in(server)
        assert client.post(link).status_code == 200
        assert subscriber(database).status == "active"
        assert subscriber(database).cadence == "monthly"

        post(server.port)
        assert len(server.taken) == 1, "without a welcome.md there is no welcome"
    assert event_names(database) == ["requested", "confirmed"]


def test_one_who_is_subscribed_already_gets_the_preferences(
    client: FlaskClient, database: Database, post: Callable[..., int]
) -> None:
    client.post("/subscribe", data={"email": "jane@example.com"})
    with smtp_server() as server:
        post(server.port)
        client.post(link_in(server))
        with database.transaction() as session:
            row = subscriber(database)
            row.confirm_mailed_at = clock.now() - timedelta(hours=1)
            session.merge(row)
        client.post("/subscribe", data={"email": "jane@example.com"})
        post(server.port)
        assert len(server.taken) == 2
        assert b"Subject: You are already subscribed to" in server.taken[-1].raw
        link = link_in(server)
        assert link.startswith("/preferences/")
        assert client.get(link).status_code == 200


def test_a_mail_waits_for_a_stopped_relay(
    client: FlaskClient, database: Database, post: Callable[..., int]
) -> None:
    port = free_port()
    assert client.post("/subscribe", data={"email": "jane@example.com"}).status_code == 200
    assert post(port) == 1
    with smtp_server(port) as server:
        assert post(port, timedelta(minutes=1)) == 1
        client.post(link_in(server))
    assert subscriber(database).status == "active"


def test_one_who_confirmed_before_the_second_mail_left_gets_no_second_mail(
    client: FlaskClient, database: Database, post: Callable[..., int], services: Services
) -> None:
    client.post("/subscribe", data={"email": "jane@example.com"})
    client.post(f"/confirm/{confirmation.token_for(services.tokens, subscriber(database))}")
    with smtp_server() as server:
        assert post(server.port) == 2
        assert server.taken == []


def test_a_whole_life_with_a_relay_that_quotes_and_an_erasure_leaves_no_address_and_no_link_in_the_logs(
    client: FlaskClient, database: Database, post: Callable[..., int], services: Services
) -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    links = []
    with redirect_stderr(said), redirect_stdout(said), smtp_server() as server:
        logs.configure(json=True)
        server.refusals["jane.doe@example.com"] = "rcpt 450 4.2.1 <jane.doe@example.com> is greylisted"
        for _ in range(2):
            client.post("/subscribe", data={"email": "Jane.Doe@example.com"})
            post(server.port)
        server.refusals["jane.doe@example.com"] = "dot 554 5.7.1 jane.doe@example.com: not today"
        post(server.port, timedelta(minutes=2))
        server.refusals.clear()
        client.post("/subscribe", data={"email": "not.an.address"})
        person = subscriber(database)
        links += [f"/confirm/{confirmation.token_for(services.tokens, person)}"]
        links += [f"/preferences/{preferences.token_for(services.tokens, person.public_id)}"]
        for link in links:
            client.post(link, data={"do": "link", "cadence": "monthly"})
        post(server.port)
        links += [f"/account/{account.token_for(services.tokens, subscriber(database))}"]
        client.post(links[-1], data={"do": "erase", "sure": "yes"})
        post(server.port)
    logging.getLogger().removeHandler(handler)
    assert subscriber(database).status == "erased"
    written = said.getvalue().lower()
    assert "outbox" in written, "something was said, or the search shows nothing"
    for word in ("jane", "doe@", "not.an.address", *(link.rpartition("/")[2].lower() for link in links)):
        assert word not in written, word
