"""Return addresses: each names its mail, nobody can make one up, and they are what the relay is told."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from blog import clock, create_app
from blog.db import Database
from blog.delivery import outbox, verp
from blog.delivery.models import Delivery
from blog.delivery.states import Owner
from blog.errors import SettingsError
from blog.settings import Settings, load_settings
from blog.tokens import Purpose, Tokens
from blog.worker.tasks import Work
from tests.factories import make_subscriber
from tests.mailings import make_mailing
from tests.smtp_server import smtp_server

TOKENS = Tokens((b"k" * 32,))
PATH = verp.ReturnPath(TOKENS, "bounces@example.org")


@given(st.integers(1, 10**18 - 1))
def test_the_address_of_a_delivery_names_it_and_has_room_for_any_number(number: int) -> None:
    address = verp.ReturnPath(TOKENS, "b" * 24 + "@example.org").for_delivery(number)
    assert len(address.partition("@")[0]) <= 64
    for spelled in (address, address.upper(), f"rfc822; <{address}>"):
        (tag,) = verp.tags(spelled)
        assert (tag.is_delivery, tag.number) == (True, number)
        assert TOKENS.is_mark(Purpose.RETURN, f"d{number}", tag.mark)


def test_a_domain_of_its_own_needs_no_name_before_the_tag() -> None:
    path = verp.ReturnPath(TOKENS, "@bounces.example.org")
    assert verp.tags(path.for_delivery(7))[0].number == 7
    assert path.for_delivery(7).endswith("@bounces.example.org")


def test_a_mark_is_bound_to_its_number_its_purpose_and_the_address_it_went_to() -> None:
    mark = TOKENS.mark(Purpose.RETURN, "d7")
    assert not TOKENS.is_mark(Purpose.RETURN, "d8", mark)
    assert not TOKENS.is_mark(Purpose.UNSUBSCRIBE, "d7", mark)
    assert not Tokens((b"x" * 32,)).is_mark(Purpose.RETURN, "d7", mark)
    assert Tokens((b"x" * 32, b"k" * 32)).is_mark(Purpose.RETURN, "d7", mark)
    assert PATH.for_single(7, "ada@example.org") != PATH.for_single(7, "eve@example.org")


@given(st.text(max_size=300))
def test_no_text_makes_the_search_for_tags_fail(text: str) -> None:
    verp.tags(text)


def test_what_only_looks_like_a_tag_is_none() -> None:
    for text in ("bounces+d12-short@x", "bounces+d012-abcdefghijklmnop@x", "xd1-abcdefghijklmnop@x", "d1@x"):
        assert verp.tags(text) == []


@pytest.mark.unlinted  # a stub is enough to see the envelope
def test_the_relay_is_told_a_return_address_of_each_deliverys_own(
    settings: Settings, database: Database
) -> None:
    with smtp_server() as server:
        here = settings.model_copy(update={"mail_port": server.port, "bounce_address": "bounces@example.org"})
        app = create_app(here)
        services = app.extensions["blog"]
        with database.transaction() as session:
            make_mailing(session, 3, clock.now(), _template())
        Work(app, services, Owner("s", "t")).send(_never(), 3)
        with database.reading() as session:
            numbers = list(session.scalars(select(Delivery.id).order_by(Delivery.id)))
        services.database.dispose()
    path = verp.ReturnPath(services.tokens, "bounces@example.org")
    assert sorted(taken.sender for taken in server.taken) == sorted(map(path.for_delivery, numbers))


def test_a_single_mail_has_one_too(settings: Settings, database: Database) -> None:
    with smtp_server() as server:
        here = settings.model_copy(update={"mail_port": server.port, "bounce_address": "bounces@example.org"})
        app = create_app(here)
        services = app.extensions["blog"]
        with database.transaction() as session:
            ada = make_subscriber(session, services.tokens, "ada@example.org", status="pending")
            outbox.add(session, "confirm", ada.id, "confirm-1", "news.example.org", clock.now())
        assert Work(app, services, Owner("s", "t")).mail()
        services.database.dispose()
    path = verp.ReturnPath(services.tokens, "bounces@example.org")
    assert [taken.sender for taken in server.taken] == [path.for_single(1, "ada@example.org")]
    assert server.taken[0].recipients == ["ada@example.org"]
    assert verp.tags(str(path.header_of_single(1, "ada@example.org"))) == verp.tags(
        server.taken[0].raw.decode()
    )


@pytest.mark.unlinted  # a stub is enough to see the envelope
def test_without_a_bounce_address_bounces_go_to_the_sender(settings: Settings, database: Database) -> None:
    with smtp_server() as server:
        app = create_app(settings.model_copy(update={"mail_port": server.port}))
        with database.transaction() as session:
            make_mailing(session, 1, clock.now(), _template())
        Work(app, app.extensions["blog"], Owner("s", "t")).send(_never(), 3)
        app.extensions["blog"].database.dispose()
    assert [taken.sender for taken in server.taken] == ["bounces@example.org"]
    assert server.taken[0].raw.startswith(b"X-Delivery: <d1-")


@pytest.mark.parametrize(
    "wrong", ["bounces", "a b@example.org", "b+x@example.org", "x" * 25 + "@example.org"]
)
def test_a_bounce_address_that_leaves_no_room_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="BLOG_BOUNCE_ADDRESS"):
        load_settings(bounce_address=wrong)


def _template() -> bytes:
    return b"To: \0to\0\r\nMessage-ID: \0message_id\0\r\nX: \0unsubscribe\0 \0preferences\0\r\n\r\nHello\r\n"


def _never() -> threading.Event:

    return threading.Event()
