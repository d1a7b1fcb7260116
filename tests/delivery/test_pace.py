"""The buckets: whatever order workers come in, no stretch of time holds more than was allowed."""

import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from blog import clock, migrate
from blog.db import Database
from blog.delivery import ledger, pacing
from blog.delivery.models import Delivery, Pace
from blog.delivery.pace import Gate, Limits, WarmUp
from blog.delivery.smtp import Relay
from blog.delivery.source import Sending, Source
from blog.delivery.states import LONG_AGO, Claim, Owner, Policy
from blog.pace_settings import PaceSettings, Rate, rate
from tests.mailings import make_mailing

HOUR = timedelta(hours=1)
START = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "burst", "of_an_hour"),
    [("1/minute", 1, 60), ("14/second", 1, 50400), ("500/hour", 50, 450), ("20000/day", 2000, 750)],
)
def test_a_rate_is_a_tenth_at_once_and_the_rest_spread_out(text: str, burst: int, of_an_hour: int) -> None:
    found = rate(text)
    assert found.burst == burst
    assert round(found.per_second * 3600) == of_an_hour


@pytest.mark.parametrize(
    ("given_", "part"),
    [
        ({"pace": {"relay": "fast"}}, "'fast' is no rate; write a number and a unit"),
        ({"pace": {"relay": "0/hour"}}, "no rate"),
        ({"pace": {"Gmail": "1/hour"}}, "'Gmail' is no place"),
        ({"warm_up_plan": [50, 0]}, "every day needs a number of 1 or more"),
    ],
)
def test_a_setting_that_means_nothing_is_refused_in_words(given_: dict[str, object], part: str) -> None:
    with pytest.raises(ValidationError, match="1 validation error") as caught:
        PaceSettings(**given_)  # type: ignore[arg-type]
    assert part in str(caught.value)


@settings(deadline=None)
@given(
    st.integers(1, 40),
    st.sampled_from([1, 60, 3600]),
    st.lists(st.tuples(st.floats(0, 90), st.integers(1, 30)), max_size=40),
)
def test_no_stretch_of_time_holds_more_than_the_rate(
    number: int, seconds: int, visits: list[tuple[float, int]]
) -> None:
    asked, now, went = Rate(number, seconds), START, []
    gate = Gate("x", float(asked.burst), now, float(asked.burst), asked.per_second)
    for passed, wanted in visits:
        now += timedelta(seconds=passed)
        gate.refill(now)
        for _ in range(wanted):
            if gate.is_open():
                gate.take()
                went.append(now)
            else:
                assert gate.slot() > now
    for first in went:
        assert sum(first <= at < first + timedelta(seconds=seconds) for at in went) <= number


def claims(number: int, domain: str, start: int = 0) -> list[Claim]:
    return [
        Claim(-n, 0, 0, 0, "", f"r{n}@{domain}", "", 0, 0, LONG_AGO)
        for n in range(start + 1, start + number + 1)
    ]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> list[Database]:
    """Three workers, each with its own connections to one database."""
    url = f"sqlite:///{tmp_path_factory.mktemp('pace') / 'blog.db'}"
    migrate.upgrade(Database(url))
    return [Database(url) for _ in range(3)]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.floats(-5, 40), st.integers(1, 12)),
        min_size=3,
        max_size=14,
    ),
    st.integers(1, 30),
)
def test_several_workers_with_clocks_apart_share_the_buckets(
    workers: list[Database], visits: list[tuple[int, str, float, int]], number: int
) -> None:
    # What any order of visits is granted is what one bucket of each place, told in that order, would grant.
    with workers[0].transaction() as session:
        session.query(Pace).delete()
    allowed, all_of_them, now = Rate(number, 60), Rate(number + 3, 60), START
    limits, owner = Limits(relay=all_of_them, each=allowed), Owner("w", "w/1")
    model = {
        place: (float(r.burst), START, r) for place, r in (("a", allowed), ("b", allowed), ("", all_of_them))
    }
    begun: set[str] = set()
    for worker, letter, passed, wanted in visits:
        now += timedelta(seconds=passed)
        with workers[worker].transaction() as session:
            granted = pacing.take(session, owner, limits, claims(wanted, f"{letter}.example"), now)
        places = (letter, "")
        for place in places:
            tokens, at, r = model[place]
            if place not in begun:
                tokens, at = float(r.burst), now
            begun.add(place)
            tokens = min(r.burst, tokens + max(0.0, (now - at).total_seconds()) * r.per_second)
            model[place] = (tokens, now, r)
        expected = min(wanted, *(int(model[place][0] + 1e-6) for place in places))
        assert len(granted) == expected
        for place in places:
            tokens, at, r = model[place]
            model[place] = (max(0.0, tokens - expected), at, r)


def test_workers_at_the_same_moment_are_granted_one_bucket_between_them(database: Database) -> None:
    now, granted = clock.now(), []
    with database.transaction() as session:
        mailing = make_mailing(session, 160, now)
    limits = Limits(domains={"example.org": Rate(300, 3600)})

    def work(number: int) -> None:
        owner = Owner(f"host/{number}", f"host/{number}/run")
        for _ in range(4):
            with database.transaction() as session:
                taken, _ = ledger.claim(session, mailing, owner, 10, now)
                granted.extend(pacing.take(session, owner, limits, taken, now))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({claim.id for claim in granted}) == len(granted) == 30
    with database.reading() as session:
        waiting = session.query(Delivery).filter_by(state="planned", reason="paced").all()
    # Each has a moment of its own, at the pace of the bucket, so that nobody looks through them meanwhile.
    moments = sorted(row.next_at for row in waiting)
    assert len(moments) == 130
    assert moments[0] > now
    assert {round((b - a).total_seconds(), 1) for a, b in pairwise(moments)} <= {13.3, 0.0}
    assert moments[-1] <= now + timedelta(minutes=11)


@pytest.mark.sqlite
def test_those_behind_many_that_must_wait_are_found_in_a_few_claims(database: Database) -> None:
    now = clock.now()
    with database.transaction() as session:
        people = [f"r{n}@gmail.com" for n in range(1500)] + [f"r{n}@example.org" for n in range(150)]
        make_mailing(session, people, now)
        session.add(Pace(place="gmail.com", tokens=0, at=now, per_second=1, blocked_until=now + HOUR))
    relay = Relay("127.0.0.1", 1, "test")
    sending = Sending(database, Owner("h/0", "h/0/r"), relay, 1, Policy.HOLD, lambda _: {}, clock.now)
    source = Source(sending, threading.Event())
    claims = 1
    while (found := source.next()) is None:
        assert source.soon() == 0.0
        claims += 1
    assert found.address == "r0@example.org"
    assert claims <= 5
    with database.reading() as session:
        states = Counter(row.state for row in session.query(Delivery))
    # No more is in hand than is handed over in a moment.
    assert states == {"planned": 1550, "claimed": 100}


def test_a_warm_up_allows_so_many_a_day_and_then_no_limit(database: Database) -> None:
    limits = Limits(warm_up=WarmUp(date(2026, 12, 1), (5, 8)))
    owner = Owner("w", "w/1")
    went = []
    for day in range(3):
        for hour in (1, 13):
            now = datetime(2026, 12, 1 + day, hour, tzinfo=UTC)
            with database.transaction() as session:
                went.append(len(pacing.take(session, owner, limits, claims(4, "example.org"), now)))
    assert went == [4, 1, 4, 4, 4, 4]


def test_a_mail_that_somebody_waits_for_does_not_wait_and_those_that_do_make_up_for_it(
    database: Database,
) -> None:
    limits, owner = Limits(relay=Rate(120, 60), warm_up=WarmUp(date(2026, 12, 1), (14,))), Owner("w", "w/1")
    now = datetime(2026, 12, 1, 9, tzinfo=UTC)

    def granted(after: float) -> int:
        with database.transaction() as session:
            moment = now + timedelta(seconds=after)
            return len(pacing.take(session, owner, limits, claims(30, "example.org"), moment))

    assert granted(0) == 12  # the burst, all of it
    with database.transaction() as session:
        for _ in range(2):
            pacing.count(session, limits, "ada@example.org", now)
    assert granted(1) == 0  # two a second flow in, two went without asking
    # After a while there would be more, but of this day's fourteen those two were the last.
    assert granted(600) == 0


def test_a_debt_is_no_larger_than_what_may_go_at_once(database: Database) -> None:
    limits = Limits(relay=Rate(60, 60))
    with database.transaction() as session:
        for _ in range(500):
            pacing.count(session, limits, "ada@example.org", START)
        assert session.get_one(Pace, pacing.RELAY).tokens == -6.0


def test_without_a_limit_nothing_is_written_and_nothing_is_asked_of_a_domain(database: Database) -> None:
    with database.transaction() as session:
        taken = claims(7, "example.org")
        assert pacing.take(session, Owner("w", "w/1"), Limits(), taken, START) == taken
        pacing.count(session, Limits(), "ada@example.org", START)
        assert session.query(Pace).count() == 0
