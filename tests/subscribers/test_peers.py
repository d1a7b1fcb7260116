"""Lists of other programs: one real-looking file of each, told by its header, every state of it mapped."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from blog import clock
from blog.content.values import Site
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.suppression import Reason
from blog.subscribers import peers
from blog.subscribers.importing import FIRST_LINE, ImportResult, import_rows
from blog.subscribers.models import Subscriber
from blog.subscribers.peers import FORMULA, guarded, unguarded
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import event_names, events, subscriber

LISTS = Path(__file__).parent / "lists"
FILES = {
    "mailchimp.csv": "mailchimp",
    "mailchimp-unsubscribed.csv": "mailchimp",
    "mailchimp-cleaned.csv": "mailchimp",
    "substack.csv": "substack",
    "ghost.csv": "ghost",
    "buttondown.csv": "buttondown",
    "listmonk.csv": "listmonk",
}


def rows(name: str) -> Iterator[dict[str, str]]:
    with (LISTS / name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def take_over(database: Database, tokens: Tokens, site: Site, name: str) -> ImportResult:
    found = list(rows(name))
    peer = peers.recognise(found[0])
    assert peer is not None
    with database.transaction() as session:
        return import_rows(session, tokens, site, found, f"our {name}", clock.now(), peer)


def reasons(database: Database, tokens: Tokens, *names: str) -> dict[str, Reason | None]:
    with database.reading() as session:
        return {
            name: suppression.reason_for(session, tokens.address_hash(f"{name}@example.org"))
            for name in names
        }


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_a_list_is_known_by_its_header_line(file: str, name: str) -> None:
    peer = peers.recognise(next(rows(file)))
    assert peer is not None
    assert peer.name == name


def test_a_list_with_an_address_alone_is_a_plain_one_and_one_without_is_none() -> None:
    plain = peers.recognise(["Name", " Email "])
    assert plain is peers.named("plain")
    assert peers.recognise(["name", "e-mail"]) is None
    assert peers.recognise([]) is None


@pytest.mark.parametrize(
    ("file", "active"),
    [
        ("mailchimp.csv", {"active": "systems", "imported": ""}),
        ("substack.csv", {"active": "", "paying": ""}),
        ("ghost.csv", {"active": "security"}),
        ("buttondown.csv", {"active": "systems", "paying": ""}),
        ("listmonk.csv", {"active": ""}),
    ],
)
def test_who_reads_there_reads_here_and_known_tags_become_topics(
    database: Database, tokens: Tokens, site: Site, file: str, active: dict[str, str]
) -> None:
    result = take_over(database, tokens, site, file)
    assert result.added == len(active)
    with database.reading() as session:
        found = session.execute(select(Subscriber.email, Subscriber.topics, Subscriber.status)).all()
    assert {email.partition("@")[0]: topics for email, topics, _ in found} == active
    assert {status for *_, status in found} == {"active"}
    assert all(event.details["evidence"] == f"our {file}" for event in events(database))
    assert all(event.details["from"] == FILES[file] for event in events(database))


def test_when_and_where_people_agreed_there_comes_along(
    database: Database, tokens: Tokens, site: Site
) -> None:
    take_over(database, tokens, site, "mailchimp.csv")
    with database.reading() as session:
        person = session.scalars(select(Subscriber).where(Subscriber.email == "active@example.org")).one()
    assert person.confirmed_at is not None
    assert person.confirmed_at.isoformat() == "2019-05-02T14:25:00+00:00"
    assert person.timezone == "Europe/London"


@pytest.mark.parametrize(
    ("file", "against"),
    [
        (
            "mailchimp-unsubscribed.csv",
            {"unsubscribed": Reason.UNSUBSCRIBED, "complained": Reason.COMPLAINED},
        ),
        ("mailchimp-cleaned.csv", {"bounced": Reason.BOUNCED}),
        ("substack.csv", {"unsubscribed": Reason.UNSUBSCRIBED}),
        ("ghost.csv", {"unsubscribed": Reason.UNSUBSCRIBED, "deleted": Reason.UNSUBSCRIBED}),
        (
            "buttondown.csv",
            {
                "unsubscribed": Reason.UNSUBSCRIBED,
                "bounced": Reason.BOUNCED,
                "complained": Reason.COMPLAINED,
                "pending": None,
            },
        ),
        ("listmonk.csv", {"unsubscribed": Reason.UNSUBSCRIBED, "disabled": Reason.UNSUBSCRIBED}),
    ],
)
def test_who_must_not_be_mailed_there_is_not_mailed_here(
    database: Database, tokens: Tokens, site: Site, file: str, against: dict[str, Reason | None]
) -> None:
    result = take_over(database, tokens, site, file)
    assert reasons(database, tokens, *against) == against
    assert result.tightened == len([reason for reason in against.values() if reason])
    with database.reading() as session:
        stored = set(session.scalars(select(Subscriber.email)))
    assert stored.isdisjoint(f"{name}@example.org" for name in against), "a keyed hash is enough"
    again = take_over(database, tokens, site, file)
    assert (again.added, again.updated, again.tightened) == (0, 0, 0)


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("mailchimp.csv", 4, "no time at which"),
        ("ghost.csv", 5, "neither true nor false"),
        ("buttondown.csv", 8, "not known here"),
    ],
)
def test_a_line_that_does_not_say_whether_somebody_agreed_is_a_bad_one(
    database: Database, tokens: Tokens, site: Site, file: str, line: int, reason: str
) -> None:
    ((found, said),) = take_over(database, tokens, site, file).problems
    assert found == line
    assert reason in said
    assert line >= FIRST_LINE


@pytest.mark.parametrize(
    ("file", "name", "status", "event"),
    [
        ("mailchimp-unsubscribed.csv", "unsubscribed", "unsubscribed", "withdrawn"),
        ("mailchimp-unsubscribed.csv", "complained", "complained", "complained"),
        ("mailchimp-cleaned.csv", "bounced", "bounced", "bounced"),
    ],
)
def test_a_reader_of_ours_who_left_there_leaves_here_and_the_record_says_so(
    database: Database, tokens: Tokens, site: Site, file: str, name: str, status: str, event: str
) -> None:
    with database.transaction() as session:
        old = make_subscriber(session, tokens, f"{name}@example.org").nonce
    take_over(database, tokens, site, file)
    assert subscriber(database).status == status
    assert event_names(database) == [event]
    assert events(database)[0].method == "import"
    assert events(database)[0].details["evidence"] == f"our {file}"
    assert (subscriber(database).nonce != old) == (status == "unsubscribed"), "open links die with it"


def test_who_asks_here_at_this_moment_may_still_press_the_button(
    database: Database, tokens: Tokens, site: Site
) -> None:
    with database.transaction() as session:
        make_subscriber(session, tokens, "unsubscribed@example.org", status="pending")
    take_over(database, tokens, site, "substack.csv")
    with database.reading() as session:
        found = select(Subscriber.status).where(Subscriber.email == "unsubscribed@example.org")
        assert session.scalars(found).one() == "pending"


@given(st.text(max_size=12))
def test_no_cell_begins_a_formula_and_none_is_changed_by_there_and_back(value: str) -> None:
    assert unguarded(guarded(value)) == value
    assert guarded(value)[:1] not in set(FORMULA) or not value


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", "''@x"])
def test_what_a_spreadsheet_would_run_is_quoted(value: str) -> None:
    assert guarded(value) == f"'{value}"
    assert unguarded(guarded(value)) == value
