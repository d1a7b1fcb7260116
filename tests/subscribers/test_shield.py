"""The shield: other people's mailboxes are spared, real readers get in, and no answer tells anything."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from blog import clock
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.addresses import parse
from blog.delivery.models import OutboxMail
from blog.delivery.suppression import Reason
from blog.subscribers import shield, signup
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Method, Origin
from blog.subscribers.models import Cadence, SignupCount
from blog.subscribers.shield import Verdict, Visit
from blog.subscribers.signup import Source
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import outbox, subscribers

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
API = "/api/v1/subscriptions"
#: What an address can be to us; each must get the same answer for the same work.
STANDINGS = ["new", "pending", "active", "unsubscribed", "bounced", "complained", "erased", "no-such-mailbox"]


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Count the statements of the application's database."""
    said: list[str] = []
    engine = app.extensions["blog"].database.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # Whether the site has changed is asked now and then, whoever comes.
        if threading.current_thread().name != "edition":
            said.append(statement.split()[0])

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def address(standing: str) -> str:
    return f"{standing}@example.org" if standing != "no-such-mailbox" else "ab@no-such-domain-zz.example"


def everybody(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        for standing in ("pending", "active", "unsubscribed"):
            make_subscriber(session, tokens, address(standing), status=standing)
        for reason in (Reason.BOUNCED, Reason.COMPLAINED, Reason.ERASED):
            suppression.suppress(session, tokens.address_hash(address(reason)), reason, NOW)


def weighed(session: Session, tokens: Tokens, visit: Visit, now: datetime) -> Verdict:
    """Ask the shield and let it count, as the door does around a sign-up."""
    verdict = shield.weigh(session, tokens, visit, now)
    if verdict is not Verdict.REFUSE:
        shield.remember(session, tokens, visit, verdict, now)
    return verdict


@pytest.mark.parametrize("kind", ["form", "api"])
def test_every_address_gets_the_same_answer_for_the_same_work(
    app: Flask, client: FlaskClient, database: Database, tokens: Tokens, kind: str
) -> None:
    everybody(database, tokens)

    def post(standing: str) -> tuple[int, bytes, tuple[tuple[str, str], ...], tuple[str, ...]]:
        with counted(app) as said:
            if kind == "form":
                answer = client.post("/subscribe", data={"email": address(standing)})
            else:
                answer = client.post(API, json={"email": address(standing)})
        heads = tuple(item for item in answer.headers.items() if item[0] != "Date")
        work = tuple(word for word in said if word != "ROLLBACK" and word != "RELEASE")
        return answer.status_code, answer.data, heads, work

    client.post("/subscribe", data={"email": "first@example.org"})  # what is read once is read
    first = {standing: post(standing) for standing in STANDINGS}
    assert len({answer[:3] for answer in first.values()}) == 1
    assert {status for status, *_ in first.values()} == {200 if kind == "form" else 202}
    assert len({len(work) for *_, work in first.values()}) == 1, first
    client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    second = {standing: post(standing) for standing in STANDINGS[:2]}
    assert {len(work) for *_, work in second.values()} == {len(first["new"][3])}, "the second time as well"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "jane@example.com", "cadence": "monthly", "topics": ["systems"]}, 202),
        ({"email": "jane@"}, 422),
        ({"email": "jane@example.com", "cadence": "hourly"}, 422),
        ({"email": "jane@example.com", "topics": "systems"}, 422),
        ({"email": 7}, 422),
        ({"email": "jane@example.com", "status": "active"}, 422),
        (["jane@example.com"], 400),
        (None, 415),
    ],
)
def test_the_api_takes_what_the_form_takes(
    client: FlaskClient, database: Database, body: object, status: int
) -> None:
    answer = (
        client.post(API, json=body) if body is not None else client.post(API, data="email=jane@example.com")
    )
    assert answer.status_code == status
    assert answer.is_json
    assert "jane" not in answer.text
    assert len(subscribers(database)) == (status == 202)
    assert outbox(database) == (["confirm"] if status == 202 else [])


def test_a_network_may_ask_ten_times_an_hour_however_many_forwarders_it_invents(
    client: FlaskClient, database: Database
) -> None:
    answers = Counter(
        client.post(
            "/subscribe",
            data={"email": f"victim{number}@example.org"},
            headers={"X-Forwarded-For": f"192.0.2.{number % 250}", "Forwarded": f"for=192.0.2.{number}"},
        ).status_code
        for number in range(40)
    )
    assert answers == {200: 10, 429: 30}
    assert len(outbox(database)) == 10
    client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert client.post("/subscribe", data={"email": "real@example.net"}).status_code == 200


def test_a_whole_network_of_either_kind_counts_as_one_visitor() -> None:
    assert shield.network_key("203.0.113.9") == shield.network_key("203.0.113.250") == "203.0.113.0/24"
    assert shield.network_key("2001:db8:1:2::1") == shield.network_key("2001:db8:1:2:ffff::2")
    assert shield.network_key("2001:db8:1:3::1") != shield.network_key("2001:db8:1:2::1")
    assert shield.network_key("::ffff:203.0.113.9") == "203.0.113.0/24"
    assert shield.network_key("127.0.0.1") == shield.network_key(None) == shield.network_key("unix:") == ""


def test_in_a_flood_one_more_button_lets_a_person_in(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    with database.transaction() as session:
        span = clock.now().replace(minute=0, second=0, microsecond=0)
        session.add(SignupCount(key=tokens.count_key("site"), span=span, tries=1000))
    asked = client.post("/subscribe", data={"email": "real@example.org", "topics": ["systems"]})
    assert "One more click" in asked.text
    assert 'name="topics" value="systems"' in asked.text
    assert subscribers(database) == []
    assert client.post(API, json={"email": "real@example.org"}).status_code == 429
    token = asked.text.partition('name="form" value="')[2].partition('"')[0]
    hasty = client.post("/subscribe", data={"email": "real@example.org", "form": token})
    assert "One more click" in hasty.text, "faster than a person could press"
    with time_machine.travel(clock.now() + timedelta(seconds=5)):
        done = client.post("/subscribe", data={"email": "real@example.org", "form": token})
    assert "Check your inbox" in done.text
    assert outbox(database) == ["confirm"]


@pytest.mark.parametrize("token", ["", "x", "signup.aaaaaa.bbbb", "é"])
def test_an_invented_token_proves_nothing(tokens: Tokens, token: str) -> None:
    assert not shield.is_proven(tokens, token)


def test_a_tokens_proof_has_its_time(tokens: Tokens) -> None:
    with time_machine.travel(NOW, tick=False) as travel:
        token = shield.form_token(tokens)
        assert not shield.is_proven(tokens, token)
        travel.shift(timedelta(seconds=3))
        assert shield.is_proven(tokens, token)
        travel.shift(timedelta(hours=25))
        assert not shield.is_proven(tokens, token)


def test_only_the_subscribe_page_carries_a_token(client: FlaskClient) -> None:
    page = client.get("/subscribe")
    assert 'name="form"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert 'name="form"' not in client.get("/").text


def test_a_domain_that_is_flooded_is_mailed_later(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        for _ in range(shield.DOMAIN_AN_HOUR):
            assert weighed(session, tokens, Visit(None, "example.org", True), NOW) is Verdict.PASS
        assert weighed(session, tokens, Visit(None, "example.org", True), NOW) is Verdict.LATER
        assert weighed(session, tokens, Visit(None, "example.net", True), NOW) is Verdict.PASS


def test_counts_name_nobody_and_are_forgotten(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        weighed(session, tokens, Visit("203.0.113.9", "example.org", True), NOW)
        keys = list(session.scalars(select(SignupCount.key)))
        assert len(keys) == 3
        assert not any("203" in key[:3] or "example" in key for key in keys)
        shield.forget_old(session, NOW + timedelta(days=8))
        assert session.scalar(select(func.count()).select_from(SignupCount)) == 0


def test_a_bombing_from_many_networks_reaches_nobody_more_than_three_times_a_day(
    database: Database, tokens: Tokens
) -> None:
    chance = random.Random(5)
    chosen = Choices(Cadence.WEEKLY, (), "UTC", "en")
    source = Source(Method.FORM, Origin(""), "example.org")
    for number in range(600):
        now = NOW + timedelta(seconds=140 * number)
        victim = f"victim{chance.randrange(6)}@example.org"
        visit = Visit(f"10.{chance.randrange(9)}.{chance.randrange(9)}.7", "example.org", True)
        with database.transaction() as session:
            if weighed(session, tokens, visit, now) is not Verdict.REFUSE:
                signup.sign_up(session, parse(victim), chosen, source, tokens, now)
    with database.reading() as session:
        mailed = Counter(session.scalars(select(OutboxMail.subject_id)))
    assert set(mailed.values()) == {3}, mailed
