"""The outbox: nothing is lost, nothing is sent twice without need, and nobody's row is taken from them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from blog.db import Database
from blog.delivery import outbox, pacing
from blog.delivery.email import Email
from blog.delivery.mail import flask_config, mail
from blog.delivery.models import OutboxMail, OutboxState, Pace
from blog.delivery.pace import Limits
from blog.delivery.states import LEASE, Owner
from blog.pace_settings import Rate
from blog.settings import Settings
from tests.relay import Script, relay
from tests.smtp_server import free_port, smtp_server

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
OWNER = Owner("host/0", "host/0/run-1")
OTHER = Owner("host/1", "host/1/run-1")
NEXT_RUN = Owner("host/0", "host/0/run-2")
HTML = (
    '<!doctype html><html lang="en" dir="ltr"><head><title>Hello</title></head>'
    '<body><div lang="en" dir="ltr"><h1>Hello</h1></div></body></html>'
)


def render(_session: Session, row: OutboxMail) -> Email:
    return Email(
        to=f"reader{row.subject_id}@example.org",
        subject="Hello",
        text="Hello\n",
        html=HTML,
        message_id=row.message_id,
        sender="News <news@example.org>",
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"},
    )


def add(database: Database, count: int = 1, now: datetime = NOW) -> None:
    with database.transaction() as session:
        for number in range(count):
            assert outbox.add(session, "confirm", number, f"key:{number}", "example.org", now)


def claim(database: Database, owner: Owner = OWNER, now: datetime = NOW) -> OutboxMail | None:
    with database.transaction() as session:
        return outbox.claim(session, owner, now)


def rows(database: Database) -> list[OutboxMail]:
    with database.reading() as session:
        return list(session.scalars(select(OutboxMail).order_by(OutboxMail.id)))


@pytest.fixture
def work(database: Database, settings: Settings) -> Callable[..., bool]:
    """Run the outbox once against a relay on a port, at a time."""
    app = Flask("test")

    def run(
        port: int,
        now: datetime = NOW,
        render: outbox.Render = render,
        owner: Owner = OWNER,
        limits: Limits = outbox.UNLIMITED,
    ) -> bool:
        app.config.update(flask_config(settings), MAIL_PORT=port)
        mail.init_app(app)
        with app.app_context():
            return outbox.run_once(database, render, owner, lambda: now, limits)

    return run


def test_a_mail_with_a_known_key_is_not_added_again(database: Database) -> None:
    add(database)
    with database.transaction() as session:
        assert not outbox.add(session, "confirm", 7, "key:0", "example.org", NOW)
    (row,) = rows(database)
    assert row.subject_id == 0
    assert row.message_id.startswith("<")
    assert row.message_id.endswith("@example.org>")


def test_keys_are_found_by_the_time_they_were_added(database: Database) -> None:
    add(database, 2)
    with database.reading() as session:
        assert outbox.times_added(session, ["key:0", "key:9"], NOW - timedelta(1)) == {"key:0": NOW}
        assert outbox.times_added(session, ["key:0"], NOW) == {}


def test_a_claimed_mail_is_not_claimed_again_until_its_lease_is_over(database: Database) -> None:
    add(database)
    assert claim(database) is not None
    assert claim(database, OTHER) is None
    taken = claim(database, OTHER, NOW + LEASE)
    assert taken is not None
    assert (taken.owner, taken.attempts) == (OTHER.token, 2)


def test_the_mail_that_is_due_longest_comes_first(database: Database) -> None:
    add(database, 1, NOW)
    with database.transaction() as session:
        outbox.add(session, "confirm", 8, "older", "example.org", NOW - timedelta(minutes=1))
        outbox.add(session, "confirm", 9, "later", "example.org", NOW + timedelta(minutes=1))
    assert [row.subject_id for row in (claim(database), claim(database)) if row] == [8, 0]
    assert claim(database) is None


def test_many_workers_claim_each_mail_once(database: Database) -> None:
    add(database, 40)
    taken: list[int] = []

    def worker(number: int) -> None:
        while row := claim(database, Owner(f"h/{number}", f"h/{number}/x")):
            taken.append(row.id)

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [row.id for row in rows(database)]


@pytest.mark.sqlite  # PostgreSQL chooses by the table's size
def test_due_mails_are_found_by_the_partial_index(database: Database) -> None:
    with database.reading() as session:
        query = str(outbox._due(NOW).compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
        plan = session.execute(text("EXPLAIN QUERY PLAN SELECT " + query)).all()
    assert "ix_outbox_due" in str(plan)


def test_a_mail_is_sent_once(database: Database, work: Callable[..., bool]) -> None:
    add(database)
    with smtp_server() as server:
        assert work(server.port) is True
        assert work(server.port) is False
    (row,) = rows(database)
    assert (row.state, row.sent_at, row.owner, row.lease_until) == (OutboxState.SENT, NOW, None, None)
    assert [taken.recipients for taken in server.taken] == [["reader0@example.org"]]
    assert f"Message-ID: {row.message_id}".encode() in server.taken[0].raw


def test_a_mail_goes_though_the_pace_is_used_up_and_counts_once_a_relay_was_told(
    database: Database, work: Callable[..., bool]
) -> None:
    limits = Limits(relay=Rate(1, 60), domains={"example.org": Rate(40, 60)})
    add(database, 2)
    work(free_port(), limits=limits)  # nobody there: nothing to count
    with smtp_server() as server:
        while work(server.port, NOW + outbox.BACK_OFF[0], limits=limits):
            pass
        assert len(server.taken) == 2
    with database.reading() as session:
        assert session.get_one(Pace, pacing.RELAY).tokens == -1.0
        assert session.get_one(Pace, "example.org").tokens == 2.0


def test_a_mail_that_is_not_needed_any_more_is_not_sent(
    database: Database, work: Callable[..., bool]
) -> None:
    add(database)
    assert work(1, render=lambda _session, _row: None)
    (row,) = rows(database)
    assert (row.state, row.reply) == (OutboxState.SENT, "not needed")


def test_a_stopped_relay_delays_mails_and_loses_none(database: Database, work: Callable[..., bool]) -> None:
    add(database, 3)
    port = free_port()
    with capture_logs() as logs:
        assert work(port) is True
        assert work(port) is False, "the others wait too"
    assert [entry["event"] for entry in logs] == ["outbox.not_sent"]
    assert "example.org" not in str(logs)

    later = NOW + timedelta(minutes=1)
    with smtp_server(port) as server:
        while work(port, later):
            pass
    assert len(server.taken) == 3
    assert {row.state for row in rows(database)} == {OutboxState.SENT}
    assert {row.attempts for row in rows(database)} == {1}


@pytest.mark.parametrize(
    "fault", ["rcpt 451", "rcpt 554 5.7.1 relay access denied", "dot 550 5.7.26 no DKIM"]
)
def test_a_refusal_for_now_or_because_of_us_is_tried_again_later_and_later(
    database: Database, work: Callable[..., bool], fault: str
) -> None:
    add(database)
    waits, now = [], NOW
    with relay(Script(fault=lambda _: fault)) as busy:
        while now < NOW + timedelta(hours=4):
            assert work(busy.port, now)
            (row,) = rows(database)
            waits.append((row.next_at - now).total_seconds())
            now = row.next_at
    assert waits[:6] == [10, 30, 60, 300, 900, 3600]
    assert row.attempts == 0


def test_a_mail_that_nobody_takes_is_given_up_after_days(
    database: Database, work: Callable[..., bool]
) -> None:
    add(database)
    with relay(Script(fault=lambda _: "rcpt 451")) as busy:
        assert work(busy.port, NOW + outbox.GIVE_UP_AFTER + timedelta(seconds=1))
    (row,) = rows(database)
    assert (row.state, row.reply) == (OutboxState.FAILED, "451 4.7.1 greylisted")


def test_a_refusal_for_good_ends_it(database: Database, work: Callable[..., bool]) -> None:
    add(database)
    with relay(Script(fault=lambda _: "rcpt 550 5.1.1 <reader0@example.org> unknown")) as strict:
        assert work(strict.port)
    (row,) = rows(database)
    assert (row.state, row.reply) == (OutboxState.FAILED, "550 5.1.1 <<address>> unknown")


def test_an_unknown_outcome_is_tried_three_times_with_the_same_message_id(
    database: Database, work: Callable[..., bool]
) -> None:
    add(database)
    now = NOW
    with relay(Script(fault=lambda _: "drop after dot, accepted")) as rude:
        while work(rude.port, now):
            now += timedelta(hours=1)
    (row,) = rows(database)
    assert row.state == OutboxState.FAILED
    assert [message.message_id for message in rude.messages] == [row.message_id] * 3


def test_a_mail_that_cannot_be_made_does_not_stop_the_others(
    database: Database, work: Callable[..., bool]
) -> None:
    add(database, 2)

    def poisoned(session: Session, row: OutboxMail) -> Email:
        if row.subject_id == 0:
            raise RuntimeError("reader0@example.org cannot be rendered")
        return render(session, row)

    with smtp_server() as server, capture_logs() as logs:
        while work(server.port, render=poisoned):
            pass
    assert [row.state for row in rows(database)] == [OutboxState.PENDING, OutboxState.SENT]
    assert "example.org" not in str(logs)


def test_a_dead_predecessor_gives_its_mail_back_at_once(database: Database) -> None:
    add(database)
    claim(database)
    with database.transaction() as session:
        assert outbox.recover(session, OTHER, NOW) == 0
        assert outbox.recover(session, OWNER, NOW) == 0, "what we do ourselves is not dead"
        assert outbox.recover(session, NEXT_RUN, NOW) == 1
    taken = claim(database, NEXT_RUN)
    assert taken is not None
    assert taken.attempts == 2


def test_a_mail_that_kills_its_worker_is_given_up(database: Database, work: Callable[..., bool]) -> None:
    add(database)
    now = NOW
    for _ in range(outbox.MOST_UNKNOWN):
        assert claim(database, now=now)
        now += LEASE
    assert work(1, now) is True
    (row,) = rows(database)
    assert row.state == OutboxState.FAILED


def test_a_mail_that_has_changed_hands_is_not_recorded_by_its_former_owner(database: Database) -> None:
    add(database)
    mine = claim(database)
    assert mine is not None
    theirs = claim(database, OTHER, NOW + LEASE)
    assert theirs is not None
    with database.transaction() as session:
        assert not outbox.record_sent(session, OWNER, mine, "accepted", NOW)
        assert not outbox.record_retry(session, OWNER, mine, "later", NOW)
        assert not outbox.record_failed(session, OWNER, mine, "no", NOW)
        assert outbox.record_sent(session, OTHER, theirs, "accepted", NOW)
