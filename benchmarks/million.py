"""A million subscribers of fifty topics and twenty thousand articles on one PostgreSQL, and all at once.

    python -m benchmarks.million        or    … --subscribers 100000 --articles 2000 --seconds 10

An issue is planned, then sent to `smtp-sink` by one worker: first alone, then while newcomers sign up and
readers read, each of which is also measured alone. What PostgreSQL itself needs to store the same deliveries
in one statement, and what `smtp-source` gets into the sink, are the limits. Then the reports of the command
line, what lies in the tables before and after a vacuum, and which indexes nothing has used.

Wall time depends on whatever else the machine does; the processor time of each kind of process does so much
less, and is what docs/capacity.md counts with. Needs `wrk` and Postfix's `smtp-sink`, on the same cores.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, insert, text

from benchmarks import load, search, sending
from benchmarks.findings import Finding, tell
from benchmarks.site import TICKS, children, resident_mb, started
from blog import clock, migrate
from blog.articles import search_texts
from blog.articles.models import Article, ContentVersion
from blog.db import Database
from blog.subscribers import shield
from tests.journeys.installation import Installation, free_port
from tests.multitude import Maker

TABLES = ("deliveries", "subscribers", "consent_events", "outbox", "signup_counts")
CONNECTIONS, READERS, NEWCOMERS = 8, 4, 4
PART = 500
COUNTED = """
    SELECT relname, n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd, autovacuum_count,
           pg_relation_size(relid) / 1e6 AS size, pg_indexes_size(relid) / 1e6 AS indexes
    FROM pg_stat_user_tables WHERE relname = ANY(:names) ORDER BY relname
"""
UNUSED = """
    SELECT s.indexrelname, pg_relation_size(s.indexrelid) / 1e6, i.indisunique
    FROM pg_stat_user_indexes AS s JOIN pg_index AS i ON i.indexrelid = s.indexrelid
    WHERE s.idx_scan = 0 AND pg_relation_size(s.indexrelid) > 1e6 ORDER BY 2 DESC
"""
#: What an operator asks for.
REPORTS = (
    "digest list", "digest status 1", "subscribers list", "subscribers list --status unsubscribed",
    "subscribers show reader7@example.org", "why reader7@example.org 1", "digest plan --cadence weekly",
)  # fmt: skip


def articles(database: Database, many: int, topics: int) -> None:
    """Store so many articles of seven kilobytes, two topics and three related ones each."""
    chance = random.Random(7)
    rows = list(search.articles(many, search.vocabulary(chance), chance))
    slug = "'topic-' || lpad(({} % :topics)::text, 2, '0')"
    kin = "(id + position * 17) % :many + 1"
    with database.transaction() as session:
        for start in range(0, many, PART):
            session.execute(insert(Article), rows[start : start + PART])
        for position, number in enumerate(("id", "(id * 7 + 3)")):
            session.execute(
                text(
                    "INSERT INTO article_topics (article_id, topic, position) "
                    f"SELECT id, {slug.format(number)}, {position} FROM articles ON CONFLICT DO NOTHING"
                ),
                {"topics": topics},
            )
        session.execute(
            text(
                "INSERT INTO related_articles (article_id, position, related_id, kind, score, reason) "
                f"SELECT id, position, {kin}, 'text', 0.5, 'both' "
                "FROM articles, generate_series(0, 2) AS position"
            ),
            {"many": many},
        )
        search_texts.refresh(session)
        now = clock.now()
        session.add(ContentVersion(id=1, version="bench", related_to="bench", synced_at=now))


class Meter:
    """What PostgreSQL, the worker and the web server spend, of processor time, on how much."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.reading() as session:
            folder = session.scalar(text("SHOW data_directory"))
        self.postgresql = int((Path(str(folder)) / "postmaster.pid").read_text().split()[0])

    def accepted(self) -> int:
        return self.ask("SELECT count(*) FROM deliveries WHERE state = 'accepted'")

    def letters(self) -> int:
        return self.ask("SELECT count(*) FROM outbox WHERE state = 'sent'")

    def newcomers(self) -> int:
        return self.ask("SELECT count(*) FROM subscribers WHERE status = 'pending'")

    @contextmanager
    def by_itself(self) -> Iterator[Connection]:
        """Yield a connection each of whose statements is a transaction."""
        with self.database.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def ask(self, query: str) -> int:
        with self.database.reading() as session:
            return int(session.scalar(text(query)) or 0)

    @contextmanager
    def spending(self, *processes: int) -> Iterator[list[float]]:
        """Fill a list with the seconds that PostgreSQL and each of these have spent in the block."""
        watched = (self.postgresql, *processes)
        before, spent = [_spent(one) for one in watched], [0.0]
        yield spent
        spent[:] = [_spent(one) - at for one, at in zip(watched, before, strict=True)]


def _spent(process: int) -> float:
    """Return the processor seconds of a process and all that it has started, the ended ones too."""
    total = 0
    for one in children(process):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / TICKS


def plan(site: Installation, meter: Meter, many: int) -> None:
    """Plan an issue, with somebody writing beside, and have PostgreSQL store the same rows by itself."""
    with load.writers_beside(site.database_url) as waits, meter.spending() as spent:
        ran = load.command(site, "digest", "run", "--cadence", "weekly")
    p99 = sorted(waits)[len(waits) * 99 // 100] * 1000
    variants = meter.ask("SELECT count(*) FROM variants")
    say(
        f"plan {many:,} in {variants:,} variants",
        f"{ran.seconds:.1f} s   {ran.megabytes:.0f} MB   processor: planner {ran.processor:.1f}, PostgreSQL "
        f"{spent[0]:.1f} s   others wait p99 {p99:.0f}, at most {max(waits) * 1000:.0f} ms",
    )
    tell(Finding(f"memory of planning {many:,} in {variants:,} variants", ran.megabytes, "MB", at_most=150))
    tell(Finding(f"processor time of planning {many:,} in {variants:,} variants", ran.processor, "s"))
    with meter.by_itself() as connection:
        connection.exec_driver_sql("CREATE TABLE bench_limit (LIKE deliveries INCLUDING ALL)")
        began = time.perf_counter()
        connection.exec_driver_sql("INSERT INTO bench_limit SELECT * FROM deliveries")
        limit = "the same rows in one statement", time.perf_counter() - began
        tell(Finding(f"planning {many:,} in {variants:,} variants, PostgreSQL", ran.seconds, "s", *limit))
        connection.exec_driver_sql("DROP TABLE bench_limit")


def send(meter: Meter, worker: int, seconds: int, what: str) -> None:
    """Let the worker send for so long."""
    mails, letters, began = meter.accepted(), meter.letters(), time.perf_counter()
    with meter.spending(worker) as spent:
        time.sleep(seconds)
    took = time.perf_counter() - began
    number, confirmations = meter.accepted() - mails, meter.letters() - letters
    say(
        what,
        f"{number / took:.0f}/s and {confirmations / took:.0f} confirmations/s   processor: worker "
        f"{each(spent[1], number)}, PostgreSQL {each(spent[0], number)} a mail   memory "
        f"{resident_mb(worker):.0f} MB",
    )


def visits(meter: Meter, web: int, port: int, script: Path, seconds: int, what: str) -> None:
    """Flood the site; newcomers and readers alike."""
    connections = READERS if script.stem == "pages" else NEWCOMERS
    with meter.spending(web) as spent:
        seen = load.flood(port, script, seconds, connections)
    say(
        what,
        f"{seen.per_second:.0f}/s   p99 {seen.p99_ms:.0f} ms   refused {seen.refused}   processor: web "
        f"{each(spent[1], seen.answers)}, PostgreSQL {each(spent[0], seen.answers)} each",
    )


def at_once(meter: Meter, worker: int, port: int, scripts: list[Path], seconds: int) -> None:
    """Send while newcomers sign up and readers read."""
    seen: dict[str, load.Seen] = {}

    def visit(script: Path, connections: int) -> None:
        seen[script.stem] = load.flood(port, script, seconds, connections)

    floods = [
        threading.Thread(target=visit, args=pair) for pair in zip(scripts, (NEWCOMERS, READERS), strict=True)
    ]
    newcomers = meter.newcomers()
    for one in floods:
        one.start()
    send(meter, worker, seconds, "all at once: mails")
    for one in floods:
        one.join()
    for name, found in seen.items():
        say(f"all at once: {name}", f"{found.per_second:.0f}/s   refused {found.refused}")
        tell(Finding(f"all at once: {name}, p99", found.p99_ms, "ms"))
    stored = meter.newcomers() - newcomers
    lost = seen["sign-ups"].answers - seen["sign-ups"].refused - stored
    tell(Finding("all at once: sign-ups answered and not stored", max(0, lost), "people", at_most=0))


def reports(site: Installation) -> None:
    """Time what an operator asks for, beside what starting a command takes."""
    for words in ("--help", *REPORTS):
        ran = load.command(site, *words.split())
        say(f"blog {words}", f"{ran.seconds:.1f} s, processor {ran.processor:.1f} s   {ran.megabytes:.0f} MB")


def left_behind(meter: Meter) -> None:
    """Say what lies in the tables, vacuum them, and say it again; then which indexes nobody has used."""
    with meter.by_itself() as connection:
        _tell_tables(connection, "before a vacuum")
        began = time.perf_counter()
        connection.exec_driver_sql("VACUUM ANALYZE")
        say("vacuum", f"{time.perf_counter() - began:.1f} s")
        _tell_tables(connection, "after a vacuum")
        for name, size, unique in connection.execute(text(UNUSED)):
            say(f"not used here: {name}", f"{size:.0f} MB{', keeps values unique' * unique}")


def _tell_tables(connection: Connection, when: str) -> None:
    time.sleep(1.5)  # a server process tells what it has counted after a second
    for row in connection.execute(text(COUNTED), {"names": list(TABLES)}):
        say(
            f"{when}: {row.relname}",
            f"{row.n_live_tup:,} rows, {row.n_dead_tup:,} dead   {row.n_tup_upd:,} updates, "
            f"{row.n_tup_hot_upd:,} without the indexes   {row.size:.0f} MB, indexes {row.indexes:.0f} MB   "
            f"autovacuum {row.autovacuum_count} times",
        )


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.2)


def each(seconds: float, number: int) -> str:
    return f"{seconds / max(1, number) * 1e6:.0f} µs"


def say(what: str, found: str) -> None:
    print(f"{what:<44} {found}   load {os.getloadavg()[0]:.1f}", flush=True)


def run(database: Database, options: argparse.Namespace, kept: Path, sink: int) -> None:
    url = database.url.render_as_string(hide_password=False)
    site = Installation(kept, url, sink, free_port())
    site.content.mkdir()
    site.extra |= load.OPEN | {"BLOG_SMTP_CONNECTIONS": str(CONNECTIONS)}
    meter, seconds = Meter(database), options.seconds
    plan(site, meter, options.subscribers)
    say(
        "limit: smtp-source into the sink",
        f"{sending.smtp_source(sink, options.subscribers // 20).per_second:.0f} mails/s",
    )
    blog = [sys.executable, "-m", "blog.cli"]
    serve = [*blog, "serve", "--workers", "2", "--port", str(site.port)]
    with started(serve, f"{site.site}/healthz", site.environment) as web:
        with started([*blog, "worker"], f"{site.site}/healthz", site.environment) as worker:
            until(lambda: meter.accepted() > options.subscribers // 50)  # it begins with a first share
            send(meter, worker, seconds, "mails alone")
        scripts = [load.sign_ups(kept, 0), load.pages(kept, options.articles)]
        time.sleep(shield.QUICKEST.total_seconds())
        visits(meter, web, site.port, scripts[1], seconds, "pages alone")
        visits(meter, web, site.port, scripts[0], seconds, "sign-ups alone")
        scripts[0] = load.sign_ups(kept, 10_000_000)
        with started([*blog, "worker"], f"{site.site}/healthz", site.environment) as worker:
            time.sleep(shield.QUICKEST.total_seconds())
            at_once(meter, worker, site.port, scripts, seconds)
        say("the largest process of the web server", f"{resident_mb(web):.0f} MB")
    reports(site)
    left_behind(meter)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=45)
    options = parser.parse_args()
    with search.databases() as found, sending.sink() as sink, tempfile.TemporaryDirectory() as kept:
        database = found["PostgreSQL"]
        migrate.upgrade(database)
        began = time.perf_counter()
        Maker(database).people(options.subscribers, options.topics)
        articles(database, options.articles, options.topics)
        Maker(database).done()
        say(f"stored {options.articles:,} articles and everybody", f"{time.perf_counter() - began:.0f} s")
        run(database, options, Path(kept), sink)


if __name__ == "__main__":
    main()
