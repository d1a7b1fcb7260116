"""Proof of work: in a flood alone a sign-up costs a sum or a minute; each challenge is good once."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from blog import clock, create_app
from blog.db import Database
from blog.settings import Settings
from blog.subscribers import shield, work
from blog.subscribers.models import SignupCount
from blog.subscribers.work import PATIENCE, VALID, Answer
from blog.tokens import Purpose, Tokens
from tests.subscribers.conftest import SITE
from tests.subscribers.rows import outbox, subscribers
from tests.subscribers.test_shield import API, STANDINGS, address, counted, everybody

BITS = 8
READER = {"email": "real@example.org", "topics": ["systems"]}


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[Flask]:
    """The application with proof of work switched on."""
    (settings.content_dir / "site.toml").write_text(SITE, encoding="utf-8")
    app = create_app(settings.model_copy(update={"proof_of_work": BITS}))
    yield app
    app.extensions["blog"].database.dispose()


@pytest.fixture
def flood(database: Database, tokens: Tokens) -> None:
    """Unusually many have signed up in this hour, and in the next."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with database.transaction() as session:
        for span in (hour, hour + timedelta(hours=1)):
            session.add(SignupCount(key=tokens.count_key("site"), span=span, tries=1000))


def solved(challenge: str, bits: int = BITS) -> Answer:
    """Do the sum as its description says, not as the code does it."""
    for number in count():
        bits_of = "".join(f"{b:08b}" for b in hashlib.sha256(f"{challenge}.{number}".encode()).digest())
        if bits_of.startswith("0" * bits):
            return Answer(challenge, str(number))
    raise AssertionError


def wrong(challenge: str) -> Answer:
    """Return an answer that is none."""
    return next(a for n in count() if not work.is_solved(a := Answer(challenge, str(n)), BITS))


def challenge_on(page: TestResponse) -> str:
    found = re.search(r'name="challenge" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def send(client: FlaskClient, answer: Answer) -> TestResponse:
    return client.post("/subscribe", data=READER | {"challenge": answer.challenge, "answer": answer.number})


def test_outside_a_flood_nobody_is_asked(client: FlaskClient, database: Database) -> None:
    assert "Check your inbox" in client.post("/subscribe", data=READER).text
    assert client.post(API, json={"email": "b@example.org"}).status_code == 202
    assert outbox(database) == ["confirm", "confirm"]


@pytest.mark.usefixtures("flood")
def test_in_a_flood_the_sum_lets_a_person_in_at_once_and_once(
    client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    with time_machine.travel(clock.now() - timedelta(seconds=30)):
        form = shield.form_token(tokens)
    asked = client.post("/subscribe", data=READER | {"form": form})
    assert "One more click" in asked.text, "the form's own token is cheap to come by"
    assert f'data-bits="{BITS}"' in asked.text
    assert 'name="topics" value="systems"' in asked.text
    assert subscribers(database) == []
    answer = solved(challenge_on(asked))
    assert "Check your inbox" in send(client, answer).text
    assert outbox(database) == ["confirm"]
    assert "One more click" in send(client, answer).text, "a challenge is good once"


@pytest.mark.usefixtures("flood")
def test_without_script_a_minute_lets_a_person_in_and_who_is_early_waits_on(
    client: FlaskClient, database: Database
) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        asked = client.post("/subscribe", data=READER)
        assert "Please wait 60 seconds" in asked.text
        travel.shift(timedelta(seconds=26))
        early = send(client, Answer(challenge_on(asked)))
        assert "Please wait 34 seconds" in early.text
        assert challenge_on(early) == challenge_on(asked), "waiting does not start anew"
        travel.shift(timedelta(seconds=34))
        assert "Check your inbox" in send(client, Answer(challenge_on(early))).text
        assert outbox(database) == ["confirm"]
        assert "Please wait 60 seconds" in send(client, Answer(challenge_on(early))).text, "good once"


@pytest.mark.usefixtures("flood")
def test_the_api_asks_for_the_same(client: FlaskClient, database: Database) -> None:
    asked = client.post(API, json=READER)
    assert asked.status_code == 428
    told = asked.get_json()
    assert set(told) == {"error", "challenge", "bits", "wait_seconds"}
    assert (told["bits"], told["wait_seconds"]) == (BITS, PATIENCE.total_seconds())
    answer = solved(told["challenge"], told["bits"])
    done = READER | {"challenge": answer.challenge, "answer": answer.number}
    assert client.post(API, json=done).status_code == 202
    assert client.post(API, json=done).status_code == 428
    assert client.post(API, json=READER | {"challenge": 7}).status_code == 422
    assert outbox(database) == ["confirm"]


@pytest.mark.usefixtures("flood")
def test_the_challenge_and_the_answer_tell_nothing_of_an_address(
    app: Flask, client: FlaskClient, database: Database, tokens: Tokens
) -> None:
    everybody(database, tokens)
    first = solved(challenge_on(client.post("/subscribe", data=READER)))
    assert send(client, first).status_code == 200  # what is read once is read
    seen, done = set(), set()
    for number, standing in enumerate(STANDINGS):
        client.environ_base["REMOTE_ADDR"] = f"198.51.{number}.7"
        data = {"email": address(standing)}
        with counted(app) as said:
            asked = client.post("/subscribe", data=data)
        plain = asked.text.replace(challenge_on(asked), "").replace(address(standing), "")
        seen.add((asked.status_code, plain, len(said)))
        answer = solved(challenge_on(asked))
        with counted(app) as said:
            sent = client.post(
                "/subscribe", data=data | {"challenge": answer.challenge, "answer": answer.number}
            )
        done.add(
            (sent.status_code, sent.data, len([word for word in said if word not in ("ROLLBACK", "RELEASE")]))
        )
    assert len(seen) == len(done) == 1, (seen, done)


def test_no_invented_old_or_other_token_is_a_challenge(database: Database, tokens: Tokens) -> None:
    with time_machine.travel(clock.now() - VALID - timedelta(seconds=2)):
        old = work.new_challenge(tokens)
    foreign = work.new_challenge(Tokens((b"another-secret-of-another-site-0123456789ab",)))
    genuine = work.new_challenge(tokens)
    others = [tokens.timed(purpose, ["ab"]) for purpose in Purpose if purpose is not Purpose.WORK]
    for challenge in ("", "x", "é", "a" * 9_000, old, foreign, genuine[:-1], genuine + "A", *others):
        with database.transaction() as session:
            assert not work.accept(session, tokens, Answer(challenge, "1"), bits=0), challenge
            assert session.scalars(select(SignupCount)).all() == []


@pytest.mark.parametrize("number", ["", "-1", "1.5", "٣", "1" * 17, " 1", "1\n", "0x1", "NaN"])
def test_an_answer_is_a_plain_number(number: str) -> None:
    assert not work.is_solved(Answer("challenge", number), bits=0)


def test_a_wrong_answer_spends_nothing(database: Database, tokens: Tokens) -> None:
    challenge = work.new_challenge(tokens)
    with database.transaction() as session:
        assert not work.accept(session, tokens, wrong(challenge), BITS)
        assert work.accept(session, tokens, solved(challenge), BITS)
        assert not work.accept(session, tokens, solved(challenge), BITS)


def test_a_challenge_stays_spent_when_the_hour_strikes(database: Database, tokens: Tokens) -> None:
    start = clock.now().replace(minute=59, second=50, microsecond=0)
    with time_machine.travel(start) as travel, database.transaction() as session:
        answer = solved(work.new_challenge(tokens))
        assert work.accept(session, tokens, answer, BITS)
        travel.shift(timedelta(minutes=10))
        assert not work.accept(session, tokens, answer, BITS)


@pytest.mark.usefixtures("flood")
def test_only_the_page_with_the_sum_may_run_a_script(client: FlaskClient) -> None:
    asked = client.post("/subscribe", data=READER)
    policy = asked.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert asked.headers["Cache-Control"] == "no-store"
    (address,) = re.findall(r'<script src="([^"]+)" defer></script>', asked.text)
    script = client.get(address)
    assert (script.status_code, script.mimetype) == (200, "text/javascript")
    for path in ("/subscribe", "/", address):
        assert "script-src 'none'" in client.get(path).headers["Content-Security-Policy"], path
