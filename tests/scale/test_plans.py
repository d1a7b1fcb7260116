"""No statement of the product reads a whole table that grows, but for the few whose work that is.

Fifty thousand readers, five issues and five thousand articles, then everything once: every route, every task
of the worker, every command; the database says of each statement how it would carry it out.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from blog import clock, create_app, migrate, runtime
from blog.articles import sharing
from blog.db import Database
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.delivery.slots import slot
from blog.delivery.states import LONG_AGO
from blog.digests import covered
from blog.settings import Settings, load_settings
from blog.subscribers import confirmation, preferences, retention, unsubscribe
from blog.subscribers.models import Subscriber
from blog.worker.tasks import Work
from tests.bounces.letters import dsn, original
from tests.commanding import blog, blog_json
from tests.conftest import SECRET
from tests.factories import make_article, make_subscriber
from tests.house_rules.test_routes import ROUTES, addresses
from tests.journeys.crew import until
from tests.mailings import make_mailing
from tests.multitude import Maker
from tests.postgresql import Kept
from tests.relay import Relay, relay
from tests.scale.plans import Found, watched
from tests.serving import visitor

pytestmark = pytest.mark.slow

SENDS_SECONDS = 2.0
TOKEN = "a-token-for-tests-only-0123456789abcdef"
PEOPLE, ARTICLES, EARLIER = 50_000, 5_000, 4
SITE = "".join(f'[[topics]]\nslug = "topic-{n:02}"\nname = "Topic {n}"\n' for n in range(20))


@pytest.fixture(scope="module")
def settings(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of a large site, whose first issue everybody has had and whose second is being sent."""
    folder = tmp_path_factory.mktemp(f"large-{engine}")
    kept = Kept(request.getfixturevalue("postgresql_server")) if engine == "postgresql" else None
    made = large(folder, kept.url if kept else f"sqlite:///{folder / 'blog.db'}")
    yield made
    if kept:
        kept.drop()


def large(folder: Path, url: str) -> Settings:
    (folder / "content" / "articles").mkdir(parents=True)
    (folder / "content" / "site.toml").write_text(f'name = "Signal & System"\n{SITE}')
    made = load_settings(
        database_url=url, secret_key=SECRET, site_url="https://news.example.org", var_dir=folder / "var",
        content_dir=folder / "content", postal_address="Exampletown", mail_server="127.0.0.1",
        mail_default_sender="Signal & System <news@example.org>", page_cache_mb=0, metrics_token=TOKEN,
    )  # fmt: skip
    database = Database(url)
    migrate.upgrade(database)
    maker = Maker(database)
    maker.people(PEOPLE)
    maker.consent(PEOPLE // 2)
    maker.articles(ARTICLES)
    maker.letters(PEOPLE)
    with database.transaction() as session:
        make_article(session, "first-piece", topics=("topic-01",))
    blog(made, "digest", "run", "--cadence", "weekly")
    with database.transaction() as session:
        done = {"state": DeliveryState.ACCEPTED}
        session.execute(update(Delivery).values(**done))
        session.execute(update(Mailing).values(state=MailingState.DONE, finished_at=clock.now()))
        make_article(session, "second-piece", topics=("topic-01", "topic-02"))
    maker.traces(1, PEOPLE)
    with database.transaction() as session:
        earlier = [make_mailing(session, 0, clock.now()) for _ in range(EARLIER)]
        session.execute(update(Mailing).values(state=MailingState.DONE, finished_at=clock.now()))
    for mailing in earlier:
        maker.deliveries(mailing, mailing, "accepted", PEOPLE)
    maker.done()
    database.dispose()
    return made


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings.sqlalchemy_url)
    yield made
    made.dispose()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["blog"].database.dispose()


def unexpected(found: Found, meant: dict[str, str]) -> str:
    """Return what is read whole and is not meant to be, a place a line."""
    lines = [f"{place}: all of {', '.join(sorted(tables))}" for place, tables in found.items()]
    return "\n".join(sorted(line for line in lines if line.partition(": ")[0] not in meant))


#: Lists that readers see: made once for each edition of the site, and kept as bytes from then on.
ONCE_AN_EDITION = {
    "articles/authors.py:all_live": "who has written how much",
    "articles/lists.py:newest": "the feed of a topic or an author",
    "articles/lists.py:chosen": "which articles a list has, for all of its pages; the archive has all",
    "articles/lists.py:_lines": "two thousand lines of the archive at a time, with the topic of each",
    "articles/lists.py:in_order": "an author's, where the names stand within the row",
    "articles/moments.py:around": "when the next article appears by its own date",
    "articles/reading.py:topics": "how many articles each topic has",
    "articles/series.py:all_live": "which series there are",
    "site/sitemap.py:_addresses": "every article is in it",
}
ONCE_AN_HOUR = {
    "subscribers/lifecycle.py:follow": "looks for whoever left by another way than ours",
    "subscribers/moving.py:forget_old": "the table holds the changes of a month",
}
ONCE_AN_ISSUE = {
    "digests/plan.py:_groups": "everybody is asked what they follow, and which issue they had last",
    "digests/shelf.py:at": "three columns of each article, and its topics: each is new to somebody",
}
BY_HAND = {
    "articles/reading.py:all_live": "the operator lists them all",
    "articles/sync.py:_known": "each file is compared with what is known",
    "articles/reading.py:topics": "as on the pages",
    "digests/why_not.py:_topics": "a few rows a page, next to the articles of an issue",
}


AS_A_WHOLE = {"articles/reading.py:topics": "which topics there are, once for a whole file"}


COMMANDS = (
    "articles list", "related many-7", "digest list", "digest status {issue}", "digest status 1",
    "digest plan --cadence weekly", "digest rehearse --cadence weekly", "digest pause {issue}",
    "digest resume {issue}", "subscribers list", "subscribers list --status active",
    "subscribers list --status unsubscribed", "subscribers show reader7@example.org",
    "subscribers erase reader8@example.org", "why reader9@example.org {issue}", "why reader9@example.org 1",
    "digest cancel {issue}",
)  # fmt: skip


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    return visitor(app)


def test_no_page_and_no_form_reads_all_readers_or_all_mail(
    app: Flask, reader: FlaskClient, database: Database
) -> None:
    tokens = app.extensions["blog"].tokens
    with database.transaction() as session:
        draft = make_article(session, slug="a-draft", status="draft")
        person = make_subscriber(session, tokens, "ada@example.org", status="pending")
        shared = sharing.token(tokens, draft, clock.now(), 1)[0]
    confirm = confirmation.token_for(tokens, person)
    wishes, leave = (each.token_for(tokens, person.public_id) for each in (preferences, unsubscribe))
    values = {
        "slug": ["many-50", "first-piece", "topic-01", "series-0", "nobody"], "issue_id": 1,
        "number": [1, 40], "cadence": "weekly", "digest": "x", "name": "x.png", "version": "x", "width": 480,
        "door": "ses", "token": [confirm, wishes, leave, shared],
    }  # fmt: skip
    with watched() as found:
        assert reader.post("/subscribe", data={"email": "eve@example.org"}).status_code == 200
        assert reader.post(f"/confirm/{confirm}").status_code == 200
        given = {"cadence": "daily", "topics": "topic-01"}
        assert reader.post(f"/preferences/{wishes}", data=given).status_code == 200
        assert reader.post(f"/unsubscribe/{leave}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
        for rule in ROUTES:
            for address in addresses(rule, values):
                assert reader.get(address).status_code < 500, address
        known = {"Authorization": f"Bearer {TOKEN}"}
        assert reader.get("/metrics", headers=known).status_code == 200
        for words in ("common", "word77 rare5", "comm", '"word9 common"', "wrod123"):
            assert reader.get(f"/search?q={words}").status_code == 200
    assert unexpected(found, ONCE_AN_EDITION) == ""


def test_no_task_of_the_worker_reads_all_that_was_ever_sent(
    app: Flask, settings: Settings, database: Database
) -> None:
    services = runtime.build(settings)
    with database.transaction() as session:
        make_subscriber(session, services.tokens, "bob@example.org", status="pending")
    assert visitor(app).post("/subscribe", data={"email": "bob@example.org"}).status_code == 200
    blog(settings, "digest", "run", "--cadence", "weekly")
    with relay() as server, slot(settings.var_dir / "slots") as owner:
        to = services.settings.model_copy(update={"mail_port": server.port})
        work, stop = Work(app, replace(services, settings=to), owner), threading.Event()
        soon = threading.Thread(target=_stop_after_some, args=(server, stop))
        with watched() as found:
            for task in (work.look_back, work.recover, work.schedule, work.tidy, work.mail):
                task()
            soon.start()
            assert work.send(stop).results["accepted"] > 100
            work.recover()
    services.database.dispose()
    assert unexpected(found, ONCE_AN_HOUR | ONCE_AN_ISSUE | ONCE_AN_EDITION) == ""


def _stop_after_some(server: Relay, stop: threading.Event) -> None:
    """Let it send for a while, and on a machine with much else to do for longer."""
    time.sleep(SENDS_SECONDS)
    until(lambda: len(server.messages) > 100, 60)
    stop.set()


def test_no_command_reads_what_it_does_not_show(settings: Settings) -> None:
    blog(settings, "digest", "run", "--cadence", "weekly")
    issue = str(blog_json(settings, "digest", "list")[0]["issue"])
    with watched() as found:
        for command in COMMANDS:
            blog(settings, *command.format(issue=issue).split())
    assert unexpected(found, ONCE_AN_ISSUE | BY_HAND) == ""


def test_no_import_export_bounce_or_upkeep_reads_all_for_one(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    tokens = runtime.build(settings).tokens
    with database.transaction() as session:
        for name in ("pending", "older"):
            make_subscriber(session, tokens, f"{name}@example.org", status="pending")
        long_ago = {"created_at": LONG_AGO, "confirm_mailed_at": LONG_AGO}
        session.execute(update(Subscriber).where(Subscriber.email == "older@example.org").values(**long_ago))
        number = select(Delivery.message_id).where(Delivery.address == "reader11@example.org")
        sent = original(message_id=session.scalars(number.limit(1)).one(), to="reader11@example.org")
    bounce, new = tmp_path / "bounce.eml", tmp_path / "new.csv"
    bounce.write_bytes(dsn("bounces@example.org", returned=sent, recipient="reader11@example.org"))
    new.write_text("email,topics\nreader12@example.org,topic-01\nnobody-yet@example.org,\n")
    agreed = "--confirmed", "--evidence", "a fair, 2020"
    with watched() as found:
        blog(settings, "subscribers", "import", str(new), *agreed, "--dry-run")
        blog(settings, "subscribers", "import", str(new), *agreed)
        blog(settings, "subscribers", "export", str(tmp_path / "list.csv"))
        blog(settings, "subscribers", "export", "--person", "reader12@example.org")
        blog(settings, "subscribers", "erase", "reader12@example.org")
        blog(settings, "bounces", "ingest", str(bounce))
        with database.transaction() as session:
            retention.remind(session, "example.org", clock.now())
            assert retention.forget_unconfirmed(session, clock.now()) == 1
        covered.put_away(database)
    assert unexpected(found, AS_A_WHOLE) == ""


def test_a_query_without_an_index_is_found(database: Database, engine: str) -> None:
    with watched() as found, database.reading() as session:
        session.scalar(select(Subscriber.id).where(Subscriber.nonce == "nobody's"))
        session.scalar(select(Subscriber.id).where(Subscriber.address_key == "nobody's"))
        session.scalars(select(Delivery.id).where(Delivery.owner == "nobody")).first()
    assert found == {"a test": {"subscribers", "deliveries"}}
