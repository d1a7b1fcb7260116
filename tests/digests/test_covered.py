"""Putting finished issues away changes nothing for anybody, and planning asks them no more."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from blog import clock
from blog.db import Database
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.digests import covered
from blog.digests.models import LastIssue, PutAway
from blog.web.pieces import Services
from tests.digests.test_filling import people
from tests.digests.test_plan import DAY, NOW, article, articles_of, deliver_all, run

READERS = 12


def finish(database: Database, state: MailingState = MailingState.DONE) -> None:
    with database.transaction() as session:
        over = {"state": state, "finished_at": clock.now()}
        session.execute(update(Mailing).where(Mailing.finished_at.is_(None)).values(**over))


def last_issues(database: Database) -> dict[int, int]:
    with database.reading() as session:
        return {row.recipient_id: row.last_issue for row in session.execute(covered.covered(session))}


def by_deliveries(database: Database) -> dict[int, int]:
    """Return the same, asked of everything that was ever sent."""
    last = func.max(Delivery.mailing_id).label("last")
    asked = select(Delivery.recipient_id, last).where(Delivery.state.in_(covered.COVERED))
    with database.reading() as session:
        rows = session.execute(asked.group_by(Delivery.recipient_id))
        return {row.recipient_id: row.last for row in rows}


@pytest.fixture
def sent(services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Three issues that everybody has had, put away five people at a time."""
    monkeypatch.setattr(covered, "PEOPLE_AT_ONCE", 5)
    people(services, READERS)
    for number in range(3):
        article(services, f"a-{number}", NOW + number * DAY)
        assert run(services, NOW + number * DAY + timedelta(hours=1)).eligible == READERS
        deliver_all(services.database)
    finish(services.database)
    return services


def change(database: Database, issue: int, who: int, state: DeliveryState) -> None:
    with database.transaction() as session:
        mine = Delivery.mailing_id == issue, Delivery.recipient_id == who
        session.execute(update(Delivery).where(*mine).values(state=state))


def test_half_way_and_at_the_end_everybody_has_the_same_last_issue(sent: Services) -> None:
    before, steps = last_issues(sent.database), 0
    while True:
        with sent.database.reading() as session:
            if session.scalar(select(func.count()).where(PutAway.complete)) == 3:
                break
        covered.put_away(sent.database, pieces=1)
        steps += 1
        assert last_issues(sent.database) == before == by_deliveries(sent.database)
    assert steps == 3 * 3, "twelve people, five at a time"
    with sent.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LastIssue)) == READERS


def test_whoever_lost_their_last_issue_later_has_the_one_before(sent: Services) -> None:
    covered.put_away(sent.database)
    change(sent.database, 3, 1, DeliveryState.BOUNCED)
    change(sent.database, 3, 2, DeliveryState.FAILED)
    change(sent.database, 2, 2, DeliveryState.SKIPPED)
    found = last_issues(sent.database)
    assert (found[1], found[2], found[3]) == (2, 1, 3)
    assert found == by_deliveries(sent.database)


def test_an_issue_that_goes_on_is_asked_again_until_it_has_ended_anew(sent: Services) -> None:
    change(sent.database, 3, 1, DeliveryState.FAILED)
    covered.put_away(sent.database)
    assert last_issues(sent.database)[1] == 2
    with sent.database.transaction() as session:
        on = {"state": MailingState.SENDING, "finished_at": None}
        session.execute(update(Mailing).where(Mailing.id == 3).values(**on))
    change(sent.database, 3, 1, DeliveryState.PLANNED)
    assert last_issues(sent.database)[1] == 3
    finish(sent.database)
    assert last_issues(sent.database)[1] == 3
    covered.put_away(sent.database)
    assert last_issues(sent.database)[1] == 3
    with sent.database.reading() as session:
        assert covered._not_put_away(session) == []


def test_of_a_cancelled_issue_only_whom_it_reached_are_entered(services: Services) -> None:
    people(services, 3)
    article(services, "first", NOW)
    run(services, NOW + DAY)
    change(services.database, 1, 1, DeliveryState.ACCEPTED)
    for who in (2, 3):
        change(services.database, 1, who, DeliveryState.SKIPPED)
    finish(services.database, MailingState.CANCELLED)
    covered.put_away(services.database)
    assert last_issues(services.database) == {1: 1}


def test_an_issue_that_is_open_or_new_is_not_put_away(services: Services) -> None:
    people(services, 3)
    article(services, "first", NOW)
    run(services, NOW + DAY)
    covered.put_away(services.database)
    with services.database.reading() as session:
        assert session.scalars(select(LastIssue)).all() == []
    assert last_issues(services.database) == {1: 1, 2: 1, 3: 1}


def test_planning_needs_no_delivery_of_an_issue_that_is_put_away(sent: Services) -> None:
    covered.put_away(sent.database)
    with sent.database.transaction() as session:
        session.execute(delete(Delivery))
    article(sent, "another", NOW + 5 * DAY)
    opened = run(sent, NOW + 6 * DAY)
    assert opened.eligible == READERS
    assert articles_of(sent.database, opened.issue)["p0@example.org"] == {"another"}
