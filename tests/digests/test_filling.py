"""Planning in pieces: others write in between, a kill costs nothing, nobody sees half an issue."""

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from blog import clock
from blog.db import Database
from blog.delivery import control, ledger
from blog.delivery.models import Delivery, Mailing
from blog.delivery.states import Owner
from blog.digests import dispatch, filling, reading
from blog.digests.models import Issue, Plan, PlanGroup, ScheduleRun
from blog.subscribers.models import Subscriber
from blog.web.pieces import Services
from tests.digests.test_dispatch import FRIDAY, fill, office
from tests.digests.test_plan import NOW, article, run, subscriber


class Killed(Exception):
    """What stands in for a process that is gone."""


def people(services: Services, number: int) -> None:
    with services.database.transaction() as session:
        rows = [
            {
                "public_id": f"{n:032x}", "email": f"p{n}@example.org", "address": f"p{n}@example.org",
                "address_key": f"p{n}@example.org", "address_hash": f"{n:064x}", "status": "active",
                "cadence": "weekly", "topics": "", "timezone": "UTC", "language": "en", "nonce": "n",
                "created_at": NOW, "confirmed_at": NOW,
            }
            for n in range(number)
        ]  # fmt: skip
        session.execute(insert(Subscriber), rows)


def deliveries(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(func.distinct(Delivery.recipient_id)))) or 0


@pytest.mark.parametrize("survives", [0, 1, 3])
def test_a_plan_that_was_killed_half_way_is_seen_by_nobody_and_finished_by_the_next(
    services: Services, monkeypatch: pytest.MonkeyPatch, survives: int
) -> None:
    monkeypatch.setattr(filling, "PEOPLE_AT_ONCE", 5)
    article(services, "first", NOW - timedelta(days=1))
    people(services, 23)
    step, done = filling.step, 0

    def step_until_killed(*arguments: object) -> bool:
        nonlocal done
        done += 1
        if done > survives:
            raise Killed
        return step(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(filling, "step", step_until_killed)
    with pytest.raises(Killed):
        run(services, NOW)
    monkeypatch.setattr(filling, "step", step)
    assert deliveries(services.database) == 5 * survives
    with services.database.transaction() as session:
        assert reading.latest(session) == []
        issue = session.scalars(select(Issue.id)).one()
        assert control.state_of(session, issue) == "planning"
        assert ledger.claim(session, issue, Owner("x", "x"), 100, clock.now()) == ([], 0)
        assert ledger.finish(session, clock.now()) == []
    assert run(services, NOW) == dispatch.NOTHING
    assert deliveries(services.database) == 23
    with services.database.reading() as session:
        assert control.state_of(session, issue) == "sending"
        assert session.get_one(Mailing, issue).recipients == 23
        assert session.scalars(select(Plan)).all() == session.scalars(select(PlanGroup)).all() == []


def test_several_planners_share_the_work_and_nobody_is_planned_twice(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PEOPLE_AT_ONCE", 3)
    article(services, "first", NOW - timedelta(days=1))
    people(services, 60)
    opened: list[dispatch.Opened] = []
    threads = [threading.Thread(target=lambda: opened.append(run(services, NOW))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.eligible for one in opened) == [0, 0, 0, 60]
    assert deliveries(services.database) == 60


def test_an_issue_that_nobody_needs_any_more_leaves_no_trace_and_its_period_is_done(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(services, "weekly", FRIDAY - timedelta(days=1))
    begin = filling.begin

    def begin_and_lose_everybody(*arguments: object) -> int:
        arguments[0].execute(Subscriber.__table__.update().values(status="unsubscribed"))  # type: ignore
        return begin(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(filling, "begin", begin_and_lose_everybody)
    assert [one for one in dispatch.run_due(office(services), FRIDAY) if one.issue] == []
    with services.database.reading() as session:
        for table in (Issue, Mailing, Plan, PlanGroup):
            assert session.scalars(select(table)).all() == []
        assert (
            session.scalars(select(ScheduleRun.issue_id).where(ScheduleRun.cadence == "weekly")).one() is None
        )


def test_others_write_while_a_large_issue_is_planned(services: Services) -> None:
    article(services, "first", NOW - timedelta(days=1))
    people(services, 12_000)
    planner = threading.Thread(target=lambda: run(services, NOW))
    longest, writes = 0.0, 0
    planner.start()
    while planner.is_alive():
        began = time.monotonic()
        with services.database.transaction() as session:
            session.execute(select(Subscriber.id).limit(1))
        longest, writes = max(longest, time.monotonic() - began), writes + 1
        time.sleep(0.01)
    planner.join()
    assert writes > 3
    assert longest < 0.5
    assert deliveries(services.database) == 12_000


def test_who_came_after_the_plan_was_begun_or_changed_since_waits_for_the_next(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    article(services, "first", NOW - timedelta(days=1), ["ai"])
    article(services, "second", NOW - timedelta(days=1), ["security"])
    subscriber(services, "ada@example.org", "ai")
    begin = filling.begin

    def begin_and_change(*arguments: object) -> int:
        session = arguments[0]
        number = begin(*arguments)  # type: ignore[arg-type]
        session.execute(Subscriber.__table__.update().values(topics="security"))  # type: ignore[attr-defined]
        return number

    monkeypatch.setattr(filling, "begin", begin_and_change)
    assert run(services, NOW) == dispatch.NOTHING
    monkeypatch.setattr(filling, "begin", begin)
    assert run(services, NOW).eligible == 1
