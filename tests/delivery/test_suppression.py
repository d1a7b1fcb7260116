"""The list of addresses that are not to be mailed."""

from itertools import product

import pytest
from sqlalchemy import select

from blog import clock
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers.models import Subscriber
from blog.tokens import Tokens
from tests.factories import make_subscriber

HASH = "a" * 64


@pytest.mark.parametrize(("first", "second"), list(product(Reason, Reason)))
def test_the_stronger_reason_stays(database: Database, first: Reason, second: Reason) -> None:
    with database.transaction() as session:
        suppression.suppress(session, HASH, first, clock.now())
        suppression.suppress(session, HASH, second, clock.now())
    order = list(Reason)
    with database.reading() as session:
        assert suppression.reason_for(session, HASH) is max(first, second, key=order.index)


def test_an_address_is_lifted_only_for_the_reasons_named(database: Database) -> None:
    with database.transaction() as session:
        suppression.suppress(session, HASH, Reason.COMPLAINED, clock.now())
        suppression.lift(session, HASH, suppression.LIFTED_BY_CONFIRMING)
        assert suppression.reason_for(session, HASH) is Reason.COMPLAINED
        suppression.lift(session, HASH, [Reason.COMPLAINED])
        assert suppression.reason_for(session, HASH) is None


def test_an_unknown_address_is_not_suppressed(database: Database) -> None:
    with database.reading() as session:
        assert suppression.reason_for(session, HASH) is None
        assert suppression.reasons_for(session, [HASH]) == {}


def test_touching_an_entry_changes_nothing(database: Database) -> None:
    with database.transaction() as session:
        suppression.suppress(session, HASH, Reason.ERASED, clock.now())
        suppression.touch(session, HASH)
        assert suppression.reason_for(session, HASH) is Reason.ERASED


def test_the_clause_finds_suppressed_rows(database: Database) -> None:
    tokens = Tokens((b"k" * 32,))
    with database.transaction() as session:
        make_subscriber(session, tokens, "stays@example.org")
        gone = make_subscriber(session, tokens, "gone@example.org")
        suppression.suppress(session, gone.address_hash, Reason.BOUNCED, clock.now())
    with database.reading() as session:
        found = select(Subscriber.email).where(suppression.is_suppressed(Subscriber.address_hash))
        assert session.scalars(found).all() == ["gone@example.org"]
