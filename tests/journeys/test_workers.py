"""One contract for every kind of worker: embedded, and Celery on a real Redis and a real RabbitMQ.

Rows are the truth, so nothing that happens to a broker or a worker may lose or repeat a mail.
"""

import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from blog import broker as hints
from blog import clock
from blog.db import Database
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.doctor import queue
from blog.doctor.findings import Verdict
from blog.settings import load_settings
from blog.ticks import Tick
from tests.brokers import Broker, running
from tests.crash import figures
from tests.crash.killing import CONNECTIONS, audit, lines, relay_process
from tests.journeys.crew import BEAT, WORKER, Crew, at_work, until
from tests.journeys.installation import Installation, free_port, link_in
from tests.mailings import make_mailing
from tests.relay import Relay, relay

pytestmark = pytest.mark.slow

WORKERS = ("embedded", "redis", "rabbitmq")


def with_the_rest(*kinds: str) -> list[object]:
    """Return these kinds of worker; `make prove`, which has the time, takes the rest of them as well."""
    every = [f"{worker}-{engine}" for worker in WORKERS for engine in ("sqlite", "postgresql")]
    marks = [pytest.mark.crash, pytest.mark.skipif(figures.BRIEF, reason="takes longer than CI has")]
    return [*kinds, *(pytest.param(kind, marks=marks) for kind in every if kind not in kinds)]


JOURNEYS = with_the_rest("embedded-sqlite", "redis-sqlite", "redis-postgresql", "rabbitmq-postgresql")
BREAKS = with_the_rest("embedded-postgresql", "redis-postgresql", "rabbitmq-postgresql")
OTHER_CLOCK = Path(__file__).parent / "other_clock"
RECIPIENTS = 400
#: How long a confirmation takes at most when a hint gets through, and what else is waited for.
AT_ONCE, BY_TICK = 3.0, 20.0


@pytest.fixture(scope="module")
def redis() -> Iterator[Broker]:
    with running("redis") as broker:
        yield broker


@pytest.fixture(scope="module")
def rabbitmq() -> Iterator[Broker]:
    with running("rabbitmq") as broker:
        yield broker


@pytest.fixture
def broker(kind: str, request: pytest.FixtureRequest) -> Broker | None:
    name = kind.partition("-")[0]
    return None if name == "embedded" else request.getfixturevalue(name)


@pytest.fixture
def database_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database on the engine that belongs to this kind of worker."""
    if kind.endswith("sqlite"):
        path = tmp_path / "blog.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    kept = request.getfixturevalue("kept_postgresql")
    yield kept.url
    kept.empty()


@pytest.fixture
def site(broker: Broker | None, database_url: str, tmp_path: Path) -> Installation:
    made = Installation(tmp_path, database_url, smtp_port=1, port=free_port())
    made.extra = {"BLOG_SMTP_CONNECTIONS": str(CONNECTIONS)}
    if broker:
        made.extra["BLOG_BROKER_URL"] = broker.url
    made.write("first-piece", title="A First Piece", date=datetime.now(UTC).isoformat())
    made.blog("sync")
    return made


@pytest.mark.parametrize("kind", JOURNEYS)
def test_from_a_sign_up_to_a_balanced_issue_whatever_becomes_of_the_messages(
    site: Installation, broker: Broker | None, tmp_path: Path
) -> None:
    with relay() as server, site.serving():
        site.smtp_port = server.port
        with at_work(site.environment, tmp_path, WORKER) as crew:
            subscribe(site, server, "ada@example.org", crew)
            # There is no scheduler yet, so only the hint of the web server can have told.
            assert subscribe(site, server, "bob@example.org", crew) < AT_ONCE
            with at_work(site.environment, tmp_path, BEAT) if broker else nullcontext():
                issue = str(site.blog_json("digest", "run", "--cadence", "weekly")["issue"])
                if broker:
                    ask_for_everything(site, times=20)
                until(lambda: site.blog_json("digest", "status", issue)["state"] == "done", BY_TICK, crew)
                with lost(broker):
                    began = time.monotonic()
                    assert site.post("/subscribe", email="eve@example.org").status == 200
                    assert time.monotonic() - began < 1.0
                until(lambda: bool(server.to("eve@example.org")), 2 * BY_TICK, crew)
        balance = site.blog_json("digest", "status", issue)
    assert balance == {
        "state": "done", "eligible": 2, "accepted": 2, "skipped": 0, "bounced": 0, "failed": 0,
        "uncertain": 0, "pending": 0,
    }  # fmt: skip
    digests = [message.recipient for message in server.messages if b"List-Unsubscribe-Post:" in message.raw]
    assert sorted(digests) == ["ada@example.org", "bob@example.org"]
    assert len(server.to("eve@example.org")) == 1


def subscribe(site: Installation, server: Relay, address: str, crew: Crew) -> float:
    """Sign up and confirm; return how long the mail in between took."""
    assert site.post("/subscribe", email=address).status == 200
    took = until(lambda: bool(server.to(address)), BY_TICK, crew)
    assert site.post(link_in(server.to(address)[0], "/confirm/")).status == 200
    return took


@contextmanager
def lost(broker: Broker | None) -> Iterator[None]:
    """Have the broker die, and start anew at the end of the block."""
    if broker:
        broker.kill()
    yield
    if broker:
        broker.start()


def ask_for_everything(site: Installation, times: int) -> None:
    """Put every message into the queue many times over, as a broker may that delivers at least once."""
    from celery import Celery

    names = (hints.TICK, hints.MAIL, hints.SEND, "blog.recover", "blog.schedule")
    app: Celery = hints.application(load_settings(broker_url=site.extra["BLOG_BROKER_URL"]))
    for name in names * times:
        hints.ask(app, name)
    app.close()


@pytest.mark.parametrize("kind", BREAKS)
def test_a_worker_killed_half_way_and_one_told_to_stop_lose_and_repeat_nothing(
    kind: str, site: Installation, database: Database, broker: Broker | None, tmp_path: Path
) -> None:
    log = tmp_path / "accepted.log"
    with database.transaction() as session:
        mailing = make_mailing(session, RECIPIENTS, clock.now())
    with relay_process(log, seed=7, delay=0.02) as site.smtp_port:
        with at_work(site.environment, tmp_path) as crew:
            until(lambda: lines(log) >= 40, BY_TICK, crew)
            crew.signal(signal.SIGKILL)
            killed, begun = states(database)[DeliveryState.HANDING_OVER], lines(log)
            crew.start()
            until(lambda: lines(log) >= begun + 40, BY_TICK, crew)
            took = crew.signal(signal.SIGTERM, group=kind.startswith("redis"))
            assert took < 10
            left, stopped = states(database), lines(log)
            assert left[DeliveryState.HANDING_OVER] == left[DeliveryState.CLAIMED] == 0
            crew.start()
            if broker:
                until(lambda: lines(log) >= stopped + 20, BY_TICK, crew)
                broker.kill()
                broker.start()
            until(lambda: finished(database), 2 * BY_TICK, crew)
        found = audit(database, mailing, log, [killed])
    processes = 2 if broker else 1
    assert found.lost == []
    assert found.silently_doubled == []
    assert found.uncertain == left[DeliveryState.UNCERTAIN], "stopping left something in doubt"
    assert found.uncertain <= killed <= CONNECTIONS * processes
    assert found.balance.pending == 0


@pytest.mark.parametrize("kind", ["redis-postgresql"])
def test_a_worker_frozen_for_longer_than_its_lease_is_overtaken_and_may_record_nothing(
    site: Installation, database: Database, tmp_path: Path
) -> None:
    log, elsewhere = tmp_path / "accepted.log", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with database.transaction() as session:
        mailing = make_mailing(session, RECIPIENTS, clock.now())
    with relay_process(log, seed=7, delay=0.02) as site.smtp_port:
        other = {**site.environment, "BLOG_VAR_DIR": str(elsewhere / "var")}
        with at_work(site.environment, tmp_path) as frozen:
            until(lambda: lines(log) >= 40, BY_TICK, frozen)
            frozen.freeze()
            held = states(database)
            let_leases_run_out(database)
            with at_work(other, elsewhere) as crew:
                until(lambda: finished(database), 2 * BY_TICK, crew)
                frozen.thaw()
                time.sleep(1)  # it finishes what it had in hand, and wants to record it
        found = audit(database, mailing, log, [])
    assert "delivery.fenced" in frozen.log.read_text()
    assert (found.lost, found.silently_doubled) == ([], [])
    assert found.uncertain == held[DeliveryState.HANDING_OVER] <= CONNECTIONS * 2
    assert found.balance.accepted + found.uncertain == RECIPIENTS


def has_ticked(database: Database) -> bool:
    with database.reading() as session:
        return session.get(Tick, hints.MAIL) is not None


def let_leases_run_out(database: Database) -> None:
    """Have a quarter of an hour go by: the server ends who idles in a transaction, then leases end."""
    idle = "datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
    with database.transaction() as session:
        session.execute(text(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {idle}"))
    with database.transaction() as session:
        held = Delivery.state.in_((DeliveryState.CLAIMED, DeliveryState.HANDING_OVER))
        session.execute(update(Delivery).where(held).values(lease_until=clock.now() - timedelta(seconds=1)))


@pytest.mark.parametrize("kind", ["redis-postgresql"])
def test_hosts_whose_clocks_are_ten_minutes_apart_send_an_issue_together(
    site: Installation, database: Database, tmp_path: Path
) -> None:
    log, elsewhere = tmp_path / "accepted.log", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with relay_process(log, seed=7, delay=0.02) as site.smtp_port:
        other = {**site.environment, "BLOG_VAR_DIR": str(elsewhere / "var"), "PYTHONPATH": str(OTHER_CLOCK)}
        slow, fast = ({**other, "CLOCK_IS_OFF_BY_MINUTES": minutes} for minutes in ("-10", "10"))
        with at_work(site.environment, tmp_path, WORKER) as right, at_work(slow, elsewhere, BEAT):
            until(lambda: has_ticked(database), BY_TICK, right)
            time.sleep(1)  # what a worker asks itself at its start is done: from now on only the beat tells
            with database.transaction() as session:
                mailing = make_mailing(session, RECIPIENTS, clock.now() - timedelta(minutes=11))
            until(lambda: lines(log) >= 40, BY_TICK, right)
            with at_work(fast, elsewhere, WORKER) as wrong:
                until(lambda: finished(database), 2 * BY_TICK, right)
                for crew in (right, wrong):
                    assert crew.signal(signal.SIGTERM) < 10
    found = audit(database, mailing, log, [])
    assert (found.lost, found.silently_doubled, found.uncertain) == ([], [], 0)
    assert found.balance.accepted == RECIPIENTS


@pytest.mark.parametrize(("kind", "says"), [("redis-sqlite", "Redis"), ("rabbitmq-postgresql", "RabbitMQ")])
def test_the_doctor_says_what_the_broker_is(broker: Broker, database_url: str, says: str) -> None:
    found = queue.check(load_settings(broker_url=broker.url, database_url=database_url))
    assert says in found.found
    on_one_host = database_url.startswith("sqlite")
    assert found.verdict is (Verdict.WARNING if on_one_host else Verdict.GOOD)
    assert "guest:guest" not in found.found


def states(database: Database) -> Counter[str]:
    with database.reading() as session:
        counted = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
        return Counter({str(state): number for state, number in counted})


def finished(database: Database) -> bool:
    with database.reading() as session:
        return set(session.scalars(select(Mailing.state))) == {MailingState.DONE}
