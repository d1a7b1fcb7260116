"""Every link that a mail carries, against whoever bends it: one table over all purposes, through the pages.

Each is good for its own page, of this site, as it was made; most for a while and once. None else does
anything at all: the fingerprint of the whole database shows it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from blog import clock, create_app
from blog.articles import sharing
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.addresses import parse
from blog.delivery.suppression import Reason
from blog.settings import Settings
from blog.subscribers import account, confirmation, moving, preferences, shield, unsubscribe, work
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import AddressChange, Subscriber
from blog.tokens import Purpose, Tokens
from tests.conftest import SECRET
from tests.factories import make_article, make_subscriber
from tests.subscribers.rows import fingerprint, subscriber

OTHER = "another-secret-of-another-site-0123456789ab"
FIVE_YEARS = timedelta(days=5 * 366)


@dataclass(frozen=True)
class Link:
    """A purpose, its page, the state it needs, how its token is made, and what is pressed on the page."""

    page: str
    status: str
    token: Callable[[Tokens, Subscriber, AddressChange], str]
    pressed: dict[str, str]
    lasts: bool = False


LINKS = {
    Purpose.CONFIRM: Link("confirm", "pending", lambda t, s, _: confirmation.token_for(t, s), {}),
    Purpose.UNSUBSCRIBE: Link(
        "unsubscribe",
        "active",
        lambda t, s, _: unsubscribe.token_for(t, s.public_id),
        {"List-Unsubscribe": "One-Click"},
        lasts=True,
    ),
    Purpose.PREFERENCES: Link(
        "preferences",
        "active",
        lambda t, s, _: preferences.token_for(t, s.public_id),
        {"cadence": "monthly"},
        lasts=True,
    ),
    Purpose.RESTORE: Link("restore", "unsubscribed", lambda t, s, _: unsubscribe.restore_token(t, s), {}),
    Purpose.ACCOUNT: Link(
        "account", "active", lambda t, s, _: account.token_for(t, s), {"do": "erase", "sure": "yes"}
    ),
    Purpose.MOVE: Link("move", "active", lambda t, _, change: moving.token_for(t, change), {}),
}
PURPOSES = pytest.mark.parametrize("purpose", LINKS)


def people(database: Database, tokens: Tokens, purpose: Purpose) -> tuple[Subscriber, AddressChange]:
    """Make the one person that a link is about, in the state that it needs."""
    with database.transaction() as session:
        row = make_subscriber(session, tokens, "jane@example.com", status=LINKS[purpose].status)
        row.account_nonce = "a" * 32
        if row.status == "unsubscribed":
            row.confirmed_at = clock.now()
            suppression.suppress(session, row.address_hash, Reason.UNSUBSCRIBED, clock.now())
        act = Act(Method.PAGE, Origin(""), clock.now())
        moving.request(session, tokens, row, parse("new@example.com"), act, "example.org")
        change = session.query(AddressChange).one()
    return row, change


def token_of(database: Database, tokens: Tokens, purpose: Purpose) -> str:
    return LINKS[purpose].token(tokens, *people(database, tokens, purpose))


@contextmanager
def site_with(settings: Settings, key: str, *previous: str) -> Iterator[FlaskClient]:
    """The same site after a change of its keys."""
    ring = {"secret_key": SecretStr(key), "previous_secret_keys": [SecretStr(old) for old in previous]}
    changed = settings.model_copy(update=ring)
    changed.__dict__.pop("key_ring", None)  # a copy keeps what was computed before
    app = create_app(changed)
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_HOST"] = "news.example.org"
    try:
        yield client
    finally:
        app.extensions["blog"].database.dispose()


def press(client: FlaskClient, purpose: Purpose, token: str) -> int:
    link = LINKS[purpose]
    looked = client.get(f"/{link.page}/{token}")
    pressed = client.post(f"/{link.page}/{token}", data=link.pressed)
    assert looked.status_code in (pressed.status_code, 200)
    return pressed.status_code


@PURPOSES
def test_a_link_does_its_work_and_a_second_press_does_nothing_more(
    client: FlaskClient, database: Database, tokens: Tokens, purpose: Purpose
) -> None:
    token = token_of(database, tokens, purpose)
    before = fingerprint(database)
    assert press(client, purpose, token) == 200
    after = fingerprint(database)
    assert after != before
    assert press(client, purpose, token) == 200, "a second press is answered kindly"
    assert fingerprint(database) == after


@PURPOSES
def test_a_link_is_worthless_on_every_other_page(
    client: FlaskClient, database: Database, tokens: Tokens, purpose: Purpose
) -> None:
    token = token_of(database, tokens, purpose)
    before = fingerprint(database)
    for elsewhere in set(LINKS) - {purpose}:
        assert press(client, elsewhere, token) == 404, elsewhere
    assert client.get(f"/drafts/{token}").status_code == 404
    assert not shield.is_proven(tokens, token)
    assert work.patience_left(tokens, token) is None
    assert fingerprint(database) == before


@PURPOSES
def test_what_opens_a_draft_or_a_form_opens_nobodys_page(
    client: FlaskClient, database: Database, tokens: Tokens, purpose: Purpose
) -> None:
    people(database, tokens, purpose)
    with database.transaction() as session:
        draft = make_article(session, "a-draft", status="draft")
    before = fingerprint(database)
    shared = sharing.token(tokens, draft, clock.now(), 1)[0]
    for token in (shared, shield.form_token(tokens), work.new_challenge(tokens)):
        assert press(client, purpose, token) == 404
    assert fingerprint(database) == before


@PURPOSES
def test_a_link_of_another_site_is_worthless(
    client: FlaskClient, database: Database, tokens: Tokens, purpose: Purpose
) -> None:
    foreign = LINKS[purpose].token(Tokens((OTHER.encode(),)), *people(database, tokens, purpose))
    before = fingerprint(database)
    assert press(client, purpose, foreign) == 404
    assert fingerprint(database) == before


@PURPOSES
def test_a_link_with_any_one_character_changed_is_worthless(
    client: FlaskClient, database: Database, tokens: Tokens, purpose: Purpose
) -> None:
    token = token_of(database, tokens, purpose)
    before = fingerprint(database)
    link = LINKS[purpose]
    for place, letter in enumerate(token):
        bent = token[:place] + ("b" if letter != "b" else "c") + token[place + 1 :]
        # The last letter of a signature holds bits that mean nothing; every other one counts.
        if not link.lasts and place == len(token) - 1:
            continue
        assert client.post(f"/{link.page}/{bent}", data=link.pressed).status_code == 404, place
    for bent in (token[:-1], token + "a", token.swapcase(), token * 2, token[::-1]):
        assert client.post(f"/{link.page}/{bent}", data=link.pressed).status_code == 404, bent
    assert fingerprint(database) == before


@PURPOSES
def test_five_years_later_one_can_still_leave_and_choose_and_nothing_else(
    client: FlaskClient, database: Database, tokens: Tokens, purpose: Purpose
) -> None:
    token = token_of(database, tokens, purpose)
    before = fingerprint(database)
    with time_machine.travel(clock.now() + FIVE_YEARS):
        status = press(client, purpose, token)
    assert status == (200 if LINKS[purpose].lasts else 410)
    assert (fingerprint(database) != before) == LINKS[purpose].lasts


@PURPOSES
def test_a_link_outlives_a_change_of_keys_but_not_the_loss_of_its_key(
    app: Flask, settings: Settings, database: Database, tokens: Tokens, purpose: Purpose
) -> None:
    token = token_of(database, tokens, purpose)
    before = fingerprint(database)
    with site_with(settings, OTHER) as lost:
        assert press(lost, purpose, token) == 404
    assert fingerprint(database) == before
    with site_with(settings, OTHER, SECRET) as changed:
        assert press(changed, purpose, token) == 200
    assert fingerprint(database) != before


def test_who_was_suppressed_under_the_old_key_stays_so_under_the_new_one(
    app: Flask, settings: Settings, database: Database, tokens: Tokens
) -> None:
    token = token_of(database, tokens, Purpose.ACCOUNT)
    with site_with(settings, OTHER, SECRET) as changed:
        assert press(changed, Purpose.ACCOUNT, token) == 200
        before = fingerprint(database)
        assert changed.post("/subscribe", data={"email": "Jane@example.com"}).status_code == 200
    assert fingerprint(database) == before
    assert subscriber(database).status == "erased"
