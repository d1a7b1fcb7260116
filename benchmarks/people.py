"""How people come in: a list of 100,000 brought over, and how long the form takes to answer about whom.

    make bench        or    python -m benchmarks.people lists --rows 100000
                            python -m benchmarks.people answers --rounds 300

`lists`: the goal is 60 seconds, with the file read, every line checked and all of it stored. `answers`: a
stranger must not learn from the time of an answer whether an address is known. The goal is that the medians
of all kinds of address lie within a tenth of each other; each round posts one of each, in random order.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

from flask import Flask
from sqlalchemy import delete

from benchmarks.findings import Finding, tell
from benchmarks.search import databases
from blog import clock, create_app, migrate
from blog.cli import subscriber_lists
from blog.content.values import Site, Topic
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.links import Links
from blog.settings import Settings, load_settings
from blog.subscribers import exporting
from blog.subscribers.admission import Source
from blog.subscribers.importing import Reading
from blog.subscribers.models import SignupCount
from blog.tokens import Tokens
from blog.web.pieces import Services
from tests.factories import make_subscriber

SITE = Site(name="Bench", tagline="", timezone="Europe/Berlin", topics=(Topic("systems", "Systems"),))
WARMING = 10
STANDINGS = ["new", "pending", "active", "unsubscribed", "bounced", "complained", "erased", "no-such-mailbox"]
TOKENS = Tokens((b"a-secret-for-benchmarks-0123456789abcdef",))


def lists(rows: int) -> None:
    """Bring a list in that was written elsewhere, rehearse it once more, and write the whole table out."""
    with databases() as found, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        _write(path, rows)
        for name, database in found.items():
            migrate.upgrade(database)
            first, result = _taken_over(database, path, dry_run=False)
            assert result.added == rows * 19 // 20, result
            assert result.tightened == rows // 20, result
            again, _ = _taken_over(database, path, dry_run=True)
            started = time.perf_counter()
            written = sum(1 for _ in exporting.rows(database))
            out = time.perf_counter() - started
            tell(Finding(f"{rows:,} subscribers brought in, {name}", first, "s", at_most=60))
            tell(Finding(f"{rows:,} rehearsed, {name}", again, "s"))
            tell(Finding(f"{written:,} written out, {name}", out, "s"))


def _write(path: Path, rows: int) -> None:
    """Write a list as Ghost does; one in twenty has opted out there."""
    with path.open("w", encoding="utf-8") as file:
        file.write("id,email,name,note,subscribed_to_emails,created_at,deleted_at,labels\n")
        for number in range(rows):
            mailed = "false" if number % 20 == 0 else "true"
            file.write(
                f"{number},reader{number}@mail{number % 97}.example.org,A Reader,,{mailed},"
                f'2024-02-21T10:10:10.000Z,,"systems,vip"\n'
            )


def _taken_over(database: Database, path: Path, dry_run: bool):  # type: ignore[no-untyped-def]
    services = Services(load_settings(), database, TOKENS, Links("http://localhost"), lambda: SITE)  # type: ignore[arg-type]
    started = time.perf_counter()
    total, peer = subscriber_lists.looked_through(path)
    reading = Reading(TOKENS, SITE, peer, clock.now())
    subscriber_lists.take_over(services, reading, path, total, Source(peer.name, "a benchmark"), dry_run)
    return time.perf_counter() - started, reading.result


def answers(rounds: int) -> None:
    """Post for every kind of address and compare the medians; what no shield lets through is not compared."""
    with databases() as found, tempfile.TemporaryDirectory() as folder:
        for name, database in found.items():
            migrate.upgrade(database)
            app = create_app(_settings(database, Path(folder)))
            times: dict[str, list[float]] = {standing: [] for standing in STANDINGS}
            chance = random.Random(1)
            for number in range(-WARMING, rounds):
                for standing, seconds in _round(app, database, number, chance).items():
                    if number >= 0:
                        times[standing].append(seconds * 1000)
            app.extensions["blog"].database.dispose()
            medians = {standing: statistics.median(found) for standing, found in times.items()}
            slowest = max(medians.values())
            print(f"{name:<11} median ms: {'   '.join(f'{each} {ms:.2f}' for each, ms in medians.items())}")
            tell(
                Finding(
                    f"answer of the form, quickest kind of address, {name}",
                    min(medians.values()),
                    "ms",
                    "the slowest kind",
                    slowest,
                    at_least=0.9,
                    of_peer=True,
                )
            )


def _round(app: Flask, database: Database, number: int, chance: random.Random) -> dict[str, float]:
    """Make one address of each kind, then post for each; return the seconds."""
    tokens = app.extensions["blog"].tokens
    posts = {standing: f"{standing}{number}@mail.example.org" for standing in STANDINGS}
    posts["no-such-mailbox"] = f"ab{number}@no-such-domain-zz.example"
    with database.transaction() as session:
        for standing in ("pending", "active", "unsubscribed"):
            make_subscriber(session, tokens, posts[standing], status=standing)
        for reason in (Reason.BOUNCED, Reason.COMPLAINED, Reason.ERASED):
            suppression.suppress(session, tokens.address_hash(posts[reason]), reason, clock.now())
    client = app.test_client(use_cookies=False)
    seconds = {}
    for place, standing in enumerate(chance.sample(STANDINGS, len(STANDINGS))):
        # A network of its own, as a stranger with many would use: nothing is refused.
        remote = {"REMOTE_ADDR": f"10.{place}.{number % 250}.7", "HTTP_HOST": "news.example.org"}
        started = time.perf_counter()
        client.post("/subscribe", data={"email": posts[standing]}, environ_overrides=remote)
        seconds[standing] = time.perf_counter() - started
    with database.transaction() as session:
        session.execute(delete(SignupCount))
    return seconds


def _settings(database: Database, folder: Path) -> Settings:
    content = folder / "content"
    content.mkdir(exist_ok=True)
    return load_settings(
        database_url=database.url.render_as_string(hide_password=False),
        site_url="https://news.example.org",
        secret_key="a-secret-for-benchmarks-0123456789abcdef",
        content_dir=content,
        var_dir=folder / "var",
        postal_address="Example Ltd, 1 High Street, Exampletown",
        mail_default_sender="News <news@example.org>",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("part", nargs="?", choices=["lists", "answers"])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    if options.part != "answers":
        lists(options.rows)
    if options.part != "lists":
        answers(options.rounds)


if __name__ == "__main__":
    main()
