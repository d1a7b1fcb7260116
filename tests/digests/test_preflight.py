"""What stops an issue: each fault by its own line, all of them together, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from blog.content.values import Site
from blog.delivery.models import Mailing
from blog.digests import dispatch, preflight
from blog.digests.dispatch import Office
from blog.digests.preflight import NotReady
from blog.settings import load_settings
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from tests.digests.test_editorial import write
from tests.digests.test_plan import NOW, article, subscriber


def run(services: Services, site: Site | None = None, **settings: Any) -> dispatch.Opened:
    given = load_settings(**{**services.settings.model_dump(), **settings})
    office = Office(services.database, given, services.links, site or Site(name="Signal & System"))
    return dispatch.run(office, Cadence.WEEKLY, NOW)


def stopped(services: Services, site: Site | None = None, **settings: Any) -> str:
    """Return what stopped an issue; nothing of it may have been stored."""
    with pytest.raises(NotReady) as told:
        run(services, site, **settings)
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mailing)) == 0
    return str(told.value)


@pytest.fixture
def ready(services: Services) -> Services:
    article(services, "first", NOW - timedelta(days=1))
    subscriber(services, "ada@example.org")
    return services


def test_an_issue_that_is_in_order_leaves(ready: Services) -> None:
    note = "[An article](/articles/first), [a topic](/topics/ai), [the archive](/archive), [elsewhere](https://a.test/)."
    write(ready, "a.md", note)
    assert run(ready).eligible == 1


def test_every_fault_is_named_at_once(ready: Services) -> None:
    write(ready, "a.md", "![](/media/x.png)\n\n[One](/articles/gone) and [two](/nowhere).\n")
    told = stopped(ready, postal_address="", mail_default_sender="News <news@elsewhere.test>").split("\n")
    assert len(told) == 5
    for part in (
        "BLOG_POSTAL_ADDRESS: missing",
        "BLOG_MAIL_DEFAULT_SENDER: mail would come from elsewhere.test, the site is at news.example.org",
        "the picture https://news.example.org/media/x.png has no alt text",
        "the link https://news.example.org/articles/gone leads nowhere",
        "the link https://news.example.org/nowhere leads nowhere",
    ):
        assert [part in line for line in told].count(True) == 1, part


def test_a_mail_that_would_be_clipped_does_not_leave(ready: Services) -> None:
    write(ready, "a.md", "word " * 20_000)
    assert "octets of HTML, 80,000 are allowed" in stopped(ready)


@pytest.mark.parametrize(
    ("sender", "site_url", "fits"),
    [
        ("n@example.org", "https://news.example.org", True),
        ("n@mail.example.org", "https://example.org", True),
        ("n@example.co.uk", "https://www.example.co.uk", True),
        ("n@other.co.uk", "https://www.example.co.uk", False),
        ("n@example.com", "https://example.org", False),
        ("n@example.com", "http://127.0.0.1:8000", True),
    ],
)
def test_mail_comes_from_the_domain_of_the_site(
    ready: Services, sender: str, site_url: str, fits: bool
) -> None:
    changed: dict[str, Any] = {"mail_default_sender": sender, "site_url": site_url}
    if fits:
        assert run(ready, **changed).eligible == 1
        return
    assert "BLOG_MAIL_DEFAULT_SENDER" in stopped(ready, **changed)
    meant = Site(digests={"sender_domain": sender.partition("@")[2]})
    assert run(ready, meant, **changed).eligible == 1


def test_links_to_what_only_a_reader_or_the_running_site_knows_are_left_alone() -> None:
    assert preflight._own_path("https://news.example.org", "https://news.example.org") == "/"
    assert preflight._own_path("https://news.example.org.evil.test/x", "https://news.example.org") is None
    assert preflight._own_path("mailto:a@b.test", "https://news.example.org") is None
