"""The mailbox, at a real dovecot: fetched by IMAP and POP3, emptied only of what has been committed."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from blog import clock, create_app
from blog.bounces import mailbox
from blog.bounces.mailbox import Office
from blog.bounces.reports import Tally
from blog.delivery.models import DeliveryState
from blog.delivery.states import Owner
from blog.errors import BlogError, Busy, SettingsError
from blog.settings import Settings, load_settings
from blog.web.pieces import Services
from blog.worker.tasks import Work
from tests.bounces.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.bounces.letters import dsn
from tests.bounces.test_settling import counts, delivery, everything, hand, issue, path, status
from tests.commanding import blog_json, refused

__all__ = ["issue"]
SCHEMES = pytest.mark.parametrize("scheme", ["imap", "pop3", "imaps", "pop3s"])


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@pytest.fixture
def box(server: Dovecot, issue: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dovecot]:
    """The server with an empty mailbox, its certificate trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    yield server
    for message in server.folder.glob("*/*.test*"):
        message.unlink()


def at(settings: Settings, address: str, password: str = PASSWORD) -> Settings:
    return settings.model_copy(
        update={"bounce_mailbox": address, "bounce_mailbox_password": SecretStr(password)}
    )


def poll(services: Services, address: str) -> Tally:
    office = Office(services.database, services.tokens, clock.now())
    return mailbox.poll(at(services.settings, address), office)


def bounce(services: Services, name: str = "ada") -> bytes:
    return dsn(path(services).for_delivery(delivery(services, name).id))


@SCHEMES
def test_what_came_back_is_taken_in_and_deleted(
    services: Services, box: Dovecot, scheme: str, issue: int
) -> None:
    box.deliver(bounce(services), b"Subject: a letter\n\nHello\n", bounce(services, "bob"))
    tally = poll(services, box.address(scheme))
    assert (tally.messages, tally.applied, tally.no_report) == (3, 2, 1)
    assert counts(services, issue) == {"eligible": 2, "bounced": 2}
    assert box.kept() == ([b"a letter"] if scheme.startswith("imap") else [])
    before = everything(services)
    assert poll(services, box.address(scheme)) == Tally()  # the letter is seen, and not fetched again
    assert everything(services) == before


@pytest.mark.sqlite
@pytest.mark.parametrize("scheme", ["imap", "pop3"])
def test_nothing_is_deleted_that_could_not_be_stored(
    services: Services, box: Dovecot, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.deliver(bounce(services))
    with monkeypatch.context() as broken:
        broken.setattr(services.database, "transaction", _busy)
        with pytest.raises(Busy):
            poll(services, box.address(scheme))
    assert len(box.kept()) == 1
    assert poll(services, box.address(scheme)).applied == 1
    assert box.kept() == []


def _busy() -> object:
    raise Busy("held")


@pytest.mark.sqlite
@pytest.mark.parametrize("scheme", ["imap", "pop3"])
def test_a_bounce_that_comes_too_early_stays_for_the_next_time(
    services: Services, box: Dovecot, scheme: str
) -> None:
    box.deliver(bounce(services))
    hand(services, delivery(services).id, DeliveryState.HANDING_OVER)
    assert poll(services, box.address(scheme)).later == 1
    hand(services, delivery(services).id, DeliveryState.ACCEPTED)
    assert poll(services, box.address(scheme)).applied == 1
    assert box.kept() == []


@pytest.mark.sqlite
@pytest.mark.parametrize("scheme", ["imap", "pop3"])
def test_a_message_with_an_endless_line_does_not_block_the_others(
    services: Services, box: Dovecot, scheme: str
) -> None:
    box.deliver(b"Subject: long\n\n" + b"x" * 300_000 + b"\n", bounce(services), bounce(services, "bob"))
    for _ in range(3):
        poll(services, box.address(scheme))
    assert (status(services), status(services, "bob")) == ("bounced", "bounced")


@pytest.mark.sqlite
def test_a_large_message_is_fetched_no_further_than_it_is_read(services: Services, box: Dovecot) -> None:
    box.deliver(bounce(services) + b"x\n" * 400_000)
    assert poll(services, box.address("imap")).applied == 1


@pytest.mark.sqlite
def test_a_certificate_that_nobody_vouches_for_is_refused(
    services: Services, box: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for scheme in ("imaps", "pop3s"):
        with pytest.raises(BlogError, match=r"127\.0\.0\.1 cannot be worked with: .*CERTIFICATE_VERIFY"):
            poll(services, box.address(scheme))


@pytest.mark.sqlite
@pytest.mark.parametrize("scheme", ["imap", "pop3"])
def test_a_wrong_password_is_said_without_names(services: Services, box: Dovecot, scheme: str) -> None:
    office = Office(services.database, services.tokens, clock.now())
    with pytest.raises(BlogError, match="BLOG_BOUNCE_MAILBOX: ") as found:
        mailbox.poll(at(services.settings, box.address(scheme), "wrong"), office)
    assert USER not in str(found.value)
    assert "wrong" not in str(found.value)


@pytest.mark.sqlite
def test_the_command_and_the_worker_fetch_it(settings: Settings, services: Services, box: Dovecot) -> None:
    box.deliver(bounce(services))
    given = {"bounce_mailbox": box.address("imap"), "bounce_mailbox_password": PASSWORD}
    assert blog_json(settings, "bounces", "poll", **given)["applied"] == 1
    box.deliver(bounce(services, "bob"))
    app = create_app(at(settings, box.address("pop3")))
    assert Work(app, app.extensions["blog"], Owner("s", "t")).collect() is False
    app.extensions["blog"].database.dispose()
    assert status(services, "bob") == "bounced"


@pytest.mark.sqlite
def test_without_a_mailbox_the_command_says_how_one_is_named(settings: Settings, services: Services) -> None:
    assert "BLOG_BOUNCE_MAILBOX: missing" in refused(settings, "bounces", "poll")


@pytest.mark.parametrize(
    "wrong", ["imap.example.org", "imaps://host/INBOX", "https://a@b", "imaps://a:b@c", 'imaps://a@b/"x', "imaps://a%0d@b"]
)  # fmt: skip
def test_a_mailbox_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="BLOG_BOUNCE_MAILBOX"):
        load_settings(bounce_mailbox=wrong)
