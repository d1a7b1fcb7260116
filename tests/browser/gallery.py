"""Every kind of page in every state it can be in, as addresses of one running site."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import time_machine
from flask import Flask, abort
from playwright.sync_api import Page
from sqlalchemy import select

from blog import clock
from blog.articles import sharing
from blog.articles.models import ArticleStatus
from blog.delivery.addresses import parse
from blog.digests import dispatch
from blog.digests.dispatch import Office
from blog.settings import ROOT
from blog.subscribers import account, moving, unsubscribe
from blog.subscribers.consent import Method, Origin
from blog.subscribers.lifecycle import Act
from blog.subscribers.models import AddressChange, Cadence, Subscriber
from blog.subscribers.pages import page
from blog.tokens import Purpose
from blog.web.guards import public
from blog.web.pieces import Services
from tests.factories import make_article, make_subscriber
from tests.serving import published, serving

FRIDAY = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
#: A topic of its own for the pages that need more articles than the sample has.
MANY = 45


@dataclass(frozen=True)
class Picture:
    """A page to be looked at: where it is, and what is pressed there (a button by its name) beforehand."""

    name: str
    address: str
    press: str = ""
    typed: str = ""
    ticked: str = ""
    #: Tells today's date: its lines break elsewhere tomorrow.
    dated: bool = False

    def prepare(self, page: Page) -> None:
        """Fill in and tick what the picture wants before the button is pressed."""
        if self.typed:
            page.get_by_label("E-mail address").fill(self.typed)
        if self.ticked:
            page.get_by_label(self.ticked).check()


@dataclass(frozen=True)
class Stage:
    """A running site and what is to be seen on it."""

    site: str
    pictures: list[Picture]


@contextmanager
def stage(folder: Path, database_file: Path) -> Iterator[Stage]:
    """Serve the sample publication with people, a sent digest and a view for every refusal."""
    with published(folder, database_file, ROOT / "content") as app:
        services: Services = app.extensions["blog"]
        pictures = [*_standing(), *_of_people(services), *_of_issues(services), *_of_drafts(services)]
        pictures += _of_refusals(app)
        _write_many(services)
        with serving(app) as site:
            yield Stage(site, pictures)


def _standing() -> list[Picture]:
    return [
        Picture("home", "/"),
        Picture("article-in-a-series", "/articles/back-pressure-is-good-manners"),
        Picture("article", "/articles/backend-2-0-systems-thinking-first"),
        Picture("topics", "/topics"),
        Picture("topic", "/topics/security"),
        Picture("topic-second-page", "/topics/many/page/2"),
        Picture("all-series", "/series"),
        Picture("series", "/series/the-quiet-queue"),
        Picture("authors", "/authors"),
        Picture("author", "/authors/nkem-sorrell"),
        Picture("archive", "/archive"),
        Picture("search", "/search?q=queue"),
        Picture("search-empty", "/search"),
        Picture("search-nothing", "/search?q=bakpressure"),
        Picture("feeds", "/feeds"),
        Picture("page", "/about"),
        Picture("subscribe", "/subscribe"),
        Picture("subscribe-mistyped", "/subscribe", "Subscribe", "ada@"),
        Picture("subscribe-sent", "/subscribe", "Subscribe", "new@example.org"),
        Picture("missing", "/articles/backend-2"),
    ]


def _of_people(services: Services) -> list[Picture]:
    tokens = services.tokens
    with services.database.transaction() as session:
        people = {
            name: make_subscriber(
                session, tokens, f"{name}@example.org", status, now=FRIDAY - timedelta(days=20)
            )
            for name, status in (
                ("pending", "pending"),
                ("confirming", "pending"),
                ("active", "active"),
                ("leaving", "active"),
                ("left", "unsubscribed"),
                ("slowing", "active"),
                ("asking", "active"),
                ("moving", "active"),
                ("writing", "active"),
                ("going", "active"),
                ("back", "unsubscribed"),
            )
        }
        for gone in ("left", "back"):
            people[gone].confirmed_at = people[gone].created_at
        for name in ("writing", "going"):
            people[name].account_nonce = name.ljust(32, "0")
        act = Act(Method.PAGE, Origin(""), clock.now())
        moving.request(session, tokens, people["moving"], parse("moved@example.org"), act, "example.org")
        session.flush()
        links = {name: _links(services, person) for name, person in people.items()}
        with time_machine.travel(FRIDAY - timedelta(days=90)):
            old = _links(services, people["pending"])["confirm"]
        [change] = session.scalars(select(AddressChange))
        move = f"/move/{moving.token_for(tokens, change)}"
        back = f"/restore/{unsubscribe.restore_token(tokens, people['back'])}"
    return [
        Picture("confirm", links["pending"]["confirm"]),
        Picture("confirm-done", links["confirming"]["confirm"], "Yes, subscribe me"),
        Picture("confirm-again", links["active"]["confirm"]),
        Picture("confirm-too-late", old),
        Picture("confirm-broken", "/confirm/broken"),
        Picture("preferences", links["active"]["preferences"]),
        Picture("preferences-saved", links["active"]["preferences"], "Save preferences"),
        Picture("preferences-of-nobody", links["left"]["preferences"]),
        Picture("preferences-broken", "/preferences/broken"),
        Picture("unsubscribe", links["active"]["unsubscribe"]),
        Picture("unsubscribe-done", links["leaving"]["unsubscribe"], "Unsubscribe"),
        Picture("unsubscribe-broken", "/unsubscribe/broken"),
        Picture("unsubscribe-less-often", links["slowing"]["unsubscribe"], "Once a month instead"),
        Picture("restore", back),
        Picture("restore-done", back, "Yes, put me back"),
        Picture("restore-broken", "/restore/broken"),
        Picture("preferences-mailed", links["asking"]["preferences"], "Mail me the link"),
        Picture("account", links["going"]["account"]),
        Picture("account-mistyped", links["going"]["account"], "Send the link", "ada@"),
        Picture("account-asked", links["writing"]["account"], "Send the link", "new@example.com"),
        Picture("account-erased", links["going"]["account"], "Erase me", ticked="Yes, erase me"),
        Picture("account-broken", "/account/broken"),
        Picture("move", move),
        Picture("move-done", move, "Yes, send it here"),
        Picture("move-broken", "/move/broken"),
    ]


def _of_drafts(services: Services) -> list[Picture]:
    with services.database.transaction() as session:
        draft = make_article(session, "an-unfinished-note", status=ArticleStatus.DRAFT)
        token, _ = sharing.token(services.tokens, draft, clock.now(), sharing.USUAL_DAYS)
    return [Picture("draft", f"/drafts/{token}", dated=True), Picture("draft-broken", "/drafts/broken")]


def _links(services: Services, person: Subscriber) -> dict[str, str]:
    tokens = services.tokens
    return {
        "confirm": f"/confirm/{tokens.timed(Purpose.CONFIRM, [person.public_id, person.nonce])}",
        "preferences": f"/preferences/{tokens.capability(Purpose.PREFERENCES, person.public_id)}",
        "account": f"/account/{account.token_for(tokens, person)}",
        "unsubscribe": f"/unsubscribe/{tokens.capability(Purpose.UNSUBSCRIBE, person.public_id)}",
    }


def _of_issues(services: Services) -> list[Picture]:
    office = Office(services.database, services.settings, services.links, services.site())
    opened = dispatch.run(office, Cadence.WEEKLY, FRIDAY)
    assert opened.issue
    return [Picture("digests", "/digests"), Picture("digest", f"/digests/{opened.issue}")]


def _of_refusals(app: Flask) -> list[Picture]:
    def refused(code: int) -> str:
        return abort(code)

    app.add_url_rule("/refused/<int:code>", "refused", public(refused))
    names = {403: "foreign-form", 410: "withdrawn", 429: "too-many", 500: "broken", 503: "busy"}
    refusals = [Picture(name, f"/refused/{code}") for code, name in names.items()]
    app.add_url_rule("/refused/doubt", "doubted", public(partial(page, "doubt.html", fields=[], bits=0)))
    return [*refusals, Picture("one-more-click", "/refused/doubt")]


def _write_many(services: Services) -> None:
    with services.database.transaction() as session:
        for number in range(MANY):
            at = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(days=number)
            make_article(session, f"old-note-{number}", topics=["many"], published_at=at)
