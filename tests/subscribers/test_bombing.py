"""A bombing: 20,000 posts, or as many as asked for, for 1,000 victims from 5,000 addresses within a day.

The bombers are as strong as the shield allows: every address is in a network of its own, and one post in ten
comes from a form that was really opened. `make prove` runs it; at full size:

    BOMBING_POSTS=100000 make prove ARGS=tests/subscribers/test_bombing.py
"""

import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from blog.db import Database
from blog.delivery.addresses import parse
from blog.delivery.models import OutboxMail
from blog.subscribers import shield, signup
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Method, Origin
from blog.subscribers.models import Cadence, Subscriber
from blog.subscribers.rationing import MOST_A_DAY
from blog.subscribers.shield import Verdict, Visit
from blog.subscribers.signup import Source
from blog.tokens import Tokens

pytestmark = pytest.mark.crash

NOW = datetime(2025, 5, 30, 0, 0, tzinfo=UTC)
POSTS = int(os.environ.get("BOMBING_POSTS", "20000"))
VICTIMS, ADDRESSES, DOMAINS = 1_000, 5_000, 40
ONE_IN = 10
AT_ONCE = 500
READER = "a.real.reader@example.net"
CHOICES = Choices(Cadence.WEEKLY, (), "UTC", "en")


def post(
    database: Database, tokens: Tokens, posts: list[tuple[str, str, bool, datetime]]
) -> Counter[Verdict]:
    """Take some posts as the door does, in one transaction for speed; a refused one is rolled back."""
    verdicts: Counter[Verdict] = Counter()
    source = Source(Method.FORM, Origin(""), "example.org")
    with database.transaction() as session:
        for remote, email, proven, now in posts:
            visit = Visit(remote, email.rpartition("@")[2], proven)
            with session.connection().begin_nested() as work:
                verdict = shield.weigh(session, tokens, visit, now)
                if verdict is Verdict.REFUSE:
                    work.rollback()
            if verdict is not Verdict.REFUSE:
                shield.remember(session, tokens, visit, verdict, now)
            if verdict in (Verdict.PASS, Verdict.LATER):
                signup.sign_up(session, parse(email), CHOICES, source, tokens, now)
            verdicts[verdict] += 1
    return verdicts


def test_a_thousand_forged_forwarders_change_nothing(client: FlaskClient, database: Database) -> None:
    answers = Counter(
        client.post(
            "/subscribe",
            data={"email": f"victim{number}@example.org"},
            headers={
                "X-Forwarded-For": f"192.0.2.{number % 250}, 10.{number // 250}.0.{number % 250}",
                "X-Real-IP": f"192.0.2.{number % 250}",
                "Forwarded": f"for=192.0.2.{number % 250}",
                "CF-Connecting-IP": f"192.0.2.{number % 250}",
            },
        ).status_code
        for number in range(1000)
    )
    assert answers == {200: shield.NETWORK_AN_HOUR, 429: 1000 - shield.NETWORK_AN_HOUR}


def test_a_hundred_thousand_posts_mail_nobody_more_than_three_times_a_day_and_a_reader_gets_in(
    database: Database, tokens: Tokens, engine: str
) -> None:
    # A server answers the same statements over a socket: a fifth of the posts takes it as long.
    posts = POSTS if engine == "sqlite" else POSTS // 5
    chance = random.Random(2025)
    networks = [
        f"10.{number // 250}.{number % 250}.{chance.randrange(1, 255)}" for number in range(ADDRESSES)
    ]
    bombs = [
        (
            networks[chance.randrange(ADDRESSES)],
            f"victim{(victim := chance.randrange(VICTIMS))}@mail{victim % DOMAINS}.example.org",
            number % ONE_IN == 0,
            NOW + timedelta(days=1) * number / posts,
        )
        for number in range(posts)
    ]
    verdicts: Counter[Verdict] = Counter()
    for start in range(0, posts, AT_ONCE):
        verdicts += post(database, tokens, bombs[start : start + AT_ONCE])
        if start == posts // 2:
            now = bombs[start][3]
            assert post(database, tokens, [("203.0.113.9", READER, False, now)]) == {Verdict.DOUBT: 1}
            later = now + timedelta(seconds=5)
            assert post(database, tokens, [("203.0.113.9", READER, True, later)]) == {Verdict.PASS: 1}
    with database.reading() as session:
        mails = session.execute(
            select(Subscriber.email, OutboxMail.kind, OutboxMail.next_at).join(
                Subscriber, Subscriber.id == OutboxMail.subject_id
            )
        ).all()
    mailed = Counter(email for email, *_ in mails)
    print(f"\n{dict(verdicts)}, {len(mails)} mails to {len(mailed)} mailboxes")
    assert mailed.pop(READER) == 1
    assert max(mailed.values()) <= MOST_A_DAY
    assert {kind for _, kind, _ in mails} == {"confirm"}
