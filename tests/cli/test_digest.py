"""`blog digest`: what a person at the terminal is told, and what a program reads."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from blog import clock
from blog.delivery.models import Delivery, DeliveryState
from blog.settings import Settings
from blog.web.pieces import Services
from tests.commanding import blog, blog_json, refused
from tests.factories import make_article, make_subscriber

YESTERDAY = clock.now() - timedelta(days=1)


@pytest.fixture
def issue(services: Services, settings: Settings) -> str:
    """A planned issue for two people."""
    with services.database.transaction() as session:
        make_article(session, slug="a-piece", published_at=YESTERDAY)
        for name in ("ada", "bob"):
            make_subscriber(session, services.tokens, f"{name}@example.org", now=YESTERDAY)
    planned = blog_json(settings, "digest", "plan", "--cadence", "weekly")
    assert planned == {"issue": planned["issue"], "eligible": 2, "variants": 1}
    return str(planned["issue"])


def test_from_plan_to_pause_and_on_to_cancel(issue: str, settings: Settings) -> None:
    assert blog_json(settings, "digest", "status", issue)["state"] == "planned"
    assert "only one that is sending can be paused" in refused(settings, "digest", "pause", issue)
    assert "is approved" in blog(settings, "digest", "approve", issue)
    assert "only one that is planned" in refused(settings, "digest", "approve", issue)
    assert "is paused" in blog(settings, "digest", "pause", issue)
    assert "goes on" in blog(settings, "digest", "resume", issue)
    assert blog_json(settings, "digest", "cancel", issue) == {
        "issue": int(issue), "state": "cancelled", "pending": 0,
    }  # fmt: skip
    assert blog_json(settings, "digest", "status", issue) == {
        "state": "cancelled", "eligible": 2, "accepted": 0, "skipped": 2, "bounced": 0, "failed": 0,
        "uncertain": 0, "pending": 0,
    }  # fmt: skip
    again = blog_json(settings, "digest", "run", "--cadence", "weekly")
    assert again["eligible"] == 2


def test_the_balance_can_be_held_against_the_rows(issue: str, services: Services, settings: Settings) -> None:
    assert "recounted: 2 rows, and they say the same" in blog(
        settings, "digest", "status", issue, "--recount"
    )
    assert "leave --watch out" in refused(settings, "digest", "status", issue, "--recount", "--watch")
    with services.database.transaction() as session:
        session.execute(
            delete(Delivery).where(Delivery.id == select(func.min(Delivery.id)).scalar_subquery())
        )
    said = refused(settings, "digest", "status", issue, "--recount")
    # SQLite takes whoever is gone for accepted, PostgreSQL for what it was.
    where = "1 accepted by the balance, 0" if services.database.is_sqlite else "2 planned by the balance, 1"
    assert f"does not balance: {where} by the rows" in said


def test_the_pace_is_told_while_there_is_one(issue: str, services: Services, settings: Settings) -> None:
    blog(settings, "digest", "approve", issue)
    told = blog_json(settings, "digest", "status", issue)
    assert (told["pending"], told["per_second"], told["seconds_left"]) == (2, 0.0, None)
    assert "waiting for a worker or the relay" in blog(settings, "digest", "status", issue)
    with services.database.transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.address == "ada@example.org")
            .values(state=DeliveryState.ACCEPTED, updated_at=clock.now() - timedelta(seconds=2))
        )
    assert "1 of 2 settled (50%)" in blog(settings, "digest", "status", issue)
    assert blog_json(settings, "digest", "status", issue)["seconds_left"] in (2, 3)


def test_watching_ends_when_nothing_moves_any_more(issue: str, settings: Settings) -> None:
    blog(settings, "digest", "approve", issue)
    blog(settings, "digest", "pause", issue)
    assert blog(settings, "digest", "status", issue, "--watch").startswith(f"Issue {issue}: paused, 0 of 2")


def test_settling_names_whom_it_is_about(issue: str, services: Services, settings: Settings) -> None:
    blog(settings, "digest", "approve", issue)
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.UNCERTAIN))
    assert "say how" in refused(settings, "digest", "settle", issue)
    assert "is no e-mail address" in refused(settings, "digest", "settle", issue, "ada", "--hold")
    one = blog_json(settings, "digest", "settle", issue, "Ada@Example.org", "--accepted")
    assert one["settled"] == 1
    assert blog_json(settings, "digest", "settle", issue, "--resend")["settled"] == 1
    counts = blog_json(settings, "digest", "status", issue)
    assert (counts["accepted"], counts["pending"], counts["uncertain"]) == (1, 1, 0)
    assert "no issue 99" in refused(settings, "digest", "settle", "99", "--hold")
