"""The network between a worker and its database is cut, one way or both, in the middle of an issue.

The worker runs in a network namespace of its own, its relay beside it; the cable to PostgreSQL is cut for a
moment, for long enough to be noticed, and for longer than the lease of what the worker has in hand.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from blog import clock, migrate
from blog.db import Database
from blog.delivery.models import DeliveryState
from tests.clusters import server
from tests.crash import figures
from tests.crash.killing import CONNECTIONS, audit, lines, relay_process
from tests.journeys.crew import Crew, at_work, until
from tests.journeys.installation import Installation
from tests.journeys.test_workers import finished, let_leases_run_out, states
from tests.mailings import make_mailing
from tests.network import BACK, BOTH, THERE, Network, network

pytestmark = pytest.mark.crash

RECIPIENTS, MOMENT, SOON = 400, 1.5, 30.0
#: Sooner than by itself, so that no test waits for long; how soon that is: tests/ground/test_db.py.
PATIENCE = "?connect_timeout=2&keepalives_idle=1&keepalives_interval=1&tcp_user_timeout=3000"
WAYS = pytest.mark.parametrize(
    "ways", [BOTH] if figures.BRIEF else [BOTH, THERE, BACK], ids=lambda ways: "-and-".join(ways)
)


@dataclass
class Cable:
    """A database, and a worker at the other end of a cable to it, in the middle of an issue."""

    network: Network
    database: Database
    site: Installation
    worker: Crew
    log: Path
    mailing: int

    def cut(self, ways: tuple[str, ...]) -> int:
        """Cut it; return how many messages have left once no more do."""
        self.network.cut(ways)
        before = -1
        while before != (before := lines(self.log)):
            time.sleep(0.3)
        return before

    def is_noticed(self) -> bool:
        return "delivery.database_waits" in self.worker.log.read_text()

    def judge(self, run: str, ways: tuple[str, ...], uncertain: int) -> None:
        """Audit every delivery: nothing lost, nothing doubled, and so many in doubt."""
        until(lambda: finished(self.database), SOON, self.worker)
        found = audit(self.database, self.mailing, self.log, [])
        assert (found.lost, found.silently_doubled, found.uncertain) == ([], [], uncertain)
        assert found.balance.accepted + found.uncertain == RECIPIENTS
        figures.note(
            f"network cut {run}, {' and '.join(ways)}", "postgresql", "hold", cuts=1, messages=RECIPIENTS,
            lost=0, doubled=0, uncertain=uncertain, balance=found.balance.pending == 0,
        )  # fmt: skip


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    log = tmp_path / "accepted.log"
    with (
        network() as net,
        server(net.near, allowed=f"{net.far}/32") as first,
        relay_process(log, seed=7, delay=0.02, inside=net.inside) as port,
    ):
        database = Database(first.url.replace(net.near, "127.0.0.1"))
        migrate.upgrade(database)
        with database.transaction() as session:
            mailing = make_mailing(session, RECIPIENTS, clock.now())
        site = Installation(tmp_path, first.url + PATIENCE, port, port=1)
        site.content.mkdir()
        site.extra = {"BLOG_SMTP_CONNECTIONS": str(CONNECTIONS)}
        try:
            with at_work(site.environment, tmp_path, inside=net.inside) as worker:
                until(lambda: lines(log) >= 40, SOON, worker)
                yield Cable(net, database, site, worker, log, mailing)
        finally:
            database.dispose()


@WAYS
def test_a_cut_of_a_moment_costs_that_moment(cable: Cable, ways: tuple[str, ...]) -> None:
    assert cable.cut(ways) < RECIPIENTS
    time.sleep(MOMENT)
    cable.network.mend()
    cable.judge("for a moment", ways, uncertain=0)


@WAYS
def test_a_cut_that_is_noticed_leaves_nobody_in_doubt(cable: Cable, ways: tuple[str, ...]) -> None:
    left = cable.cut(ways)
    until(cable.is_noticed, SOON, cable.worker)
    assert lines(cable.log) == left < RECIPIENTS, "something left that nobody could record"
    cable.network.mend()
    cable.judge("until it is noticed", ways, uncertain=0)


@WAYS
def test_a_worker_cut_off_for_longer_than_its_lease_is_overtaken_and_goes_on_with_the_next(
    cable: Cable, ways: tuple[str, ...], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    cable.cut(ways)
    held = states(cable.database)[DeliveryState.HANDING_OVER]
    let_leases_run_out(cable.database)
    with relay_process(cable.log, seed=8) as port:
        url = cable.database.url.render_as_string(hide_password=False)
        other = {**cable.site.environment, "BLOG_VAR_DIR": str(elsewhere), "BLOG_DATABASE_URL": url}
        with at_work(other | {"BLOG_MAIL_PORT": str(port)}, elsewhere) as crew:
            until(lambda: finished(cable.database), SOON, crew)
    cable.network.mend()
    until(lambda: "delivery.fenced" in cable.worker.log.read_text(), SOON, cable.worker)
    assert held <= CONNECTIONS
    cable.judge("for longer than the lease", ways, uncertain=held)
    before = lines(cable.log)
    with cable.database.transaction() as session:
        make_mailing(session, 1, clock.now())
    until(lambda: lines(cable.log) == before + 1, SOON, cable.worker)
