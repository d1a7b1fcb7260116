"""The consent record."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from blog import clock
from blog.db import Database
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin, network_of, wording_of
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import events


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        (None, ""),
        ("unknown", ""),
        ("203.0.113.77, 10.0.0.1", ""),
    ],
)
def test_an_address_is_cut_to_its_network(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_a_wording_changes_with_every_letter_of_the_text() -> None:
    assert wording_of("a", "b") == wording_of("a", "b")
    assert len({wording_of("a", "b"), wording_of("a", "b."), wording_of("ab")}) == 3
    assert wording_of("a").startswith("1:")


def test_an_event_says_what_when_where_and_under_which_words(database: Database, tokens: Tokens) -> None:
    now = clock.now()
    with database.transaction() as session:
        reader = make_subscriber(session, tokens)
        origin = Origin("203.0.113.0/24", "/articles/a", "1:abc")
        consent.record(session, reader.id, Event.REQUESTED, Method.FORM, origin, now, {"cadence": "weekly"})
    (event,) = events(database)
    assert (event.event, event.method, event.at) == ("requested", "form", now)
    assert (event.network, event.wording) == ("203.0.113.0/24", "1:abc")
    assert event.details == {"cadence": "weekly", "page": "/articles/a"}


def test_the_database_refuses_to_rewrite_the_record(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        reader = make_subscriber(session, tokens)
        consent.record(session, reader.id, Event.CONFIRMED, Method.PAGE, Origin(""), clock.now())
    with pytest.raises(DatabaseError, match="append-only"), database.transaction() as session:
        session.execute(text("UPDATE consent_events SET event = 'withdrawn'"))
