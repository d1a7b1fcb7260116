"""`blog bounces ingest`: from every kind of file, and from the return address that the relay was told."""

import io
import mailbox
from pathlib import Path

import pytest
from click.testing import CliRunner

from blog.cli import cli
from blog.db import Database
from blog.settings import Settings
from blog.web.pieces import Services
from tests.bounces.letters import arf, dsn, original, write
from tests.commanding import blog, blog_json, environment, refused
from tests.digests.test_plan import DAY, NOW, article, subscriber
from tests.relay import Message, relay


@pytest.fixture
def taken(services: Services, settings: Settings) -> list[Message]:
    """What the relay took: one digest each for Ada and Bob, sent by the commands as a newcomer would."""
    article(services, "a-first-article", NOW - DAY)
    for name in ("ada", "bob"):
        subscriber(services, f"{name}@example.org")
    with relay() as server:
        blog_json(settings, "digest", "run", "--cadence", "weekly")
        blog(
            settings,
            *("worker", "--until-idle"),
            mail_port=str(server.port),
            bounce_address="bounces@example.org",
        )
    assert len({message.sender for message in server.messages}) == 2
    return sorted(server.messages, key=lambda message: message.recipient)


def ingest(settings: Settings, *paths: Path) -> dict[str, int]:
    found = blog_json(settings, "bounces", "ingest", *map(str, paths))
    return {name: number for name, number in found.items() if number}


def test_a_bounce_to_the_return_address_that_the_relay_heard_ends_the_subscription(
    settings: Settings, taken: list[Message], tmp_path: Path
) -> None:
    folder = write(
        tmp_path / "in", dsn(taken[0].sender), dsn("bounces@example.org"), b"Subject: hello\n\nhi\n"
    )
    assert ingest(settings, folder) == {
        "messages": 3, "no_report": 1, "applied": 1, "unknown": 1, "kinds": {"hard": 1},
    }  # fmt: skip
    assert blog_json(settings, "subscribers", "show", "ada@example.org")["status"] == "bounced"
    assert blog_json(settings, "subscribers", "show", "bob@example.org")["status"] == "active"
    status = blog_json(settings, "digest", "status", "1")
    assert (status["eligible"], status["accepted"], status["bounced"]) == (2, 1, 1)
    assert "there is no such mailbox" in blog(settings, "why", "ada@example.org", "1")
    assert ingest(settings, folder / "000.eml") == {"messages": 1, "repeated": 1}


def test_a_complaint_about_the_very_message_the_relay_took_ends_mail_for_good(
    settings: Settings, taken: list[Message], tmp_path: Path
) -> None:
    folder = write(tmp_path / "in", arf("abuse@example.org", taken[1].raw))
    assert ingest(settings, folder) == {"messages": 1, "applied": 1, "kinds": {"complaint": 1}}
    assert blog_json(settings, "subscribers", "show", "bob@example.org")["status"] == "complained"


def test_an_mbox_a_maildir_and_standard_input_are_read_as_well(
    settings: Settings, taken: list[Message], tmp_path: Path
) -> None:
    messages = [dsn(taken[0].sender), b"Subject: a letter\n\nFrom here on\n", dsn(taken[1].sender)]
    box, folder = mailbox.mbox(tmp_path / "box"), mailbox.Maildir(tmp_path / "dir")
    for message in messages:
        box.add(message.replace(b"\r\n", b"\n"))
        folder.add(message)
    box.close()
    assert ingest(settings, tmp_path / "box")["applied"] == 2
    assert ingest(settings, tmp_path / "dir") == {"messages": 3, "no_report": 1, "repeated": 2}
    for given in (messages[0], (tmp_path / "box").read_bytes()):
        result = CliRunner().invoke(
            cli, ["bounces", "ingest", "-"], input=io.BytesIO(given), env=environment(settings)
        )
        assert "were known already" in result.output, result.output


def test_the_answer_for_people_says_what_happened(
    settings: Settings, taken: list[Message], tmp_path: Path
) -> None:
    folder = write(tmp_path / "in", dsn(taken[0].sender), dsn("x@example.org"))
    said = blog(settings, "bounces", "ingest", str(folder))
    assert said.splitlines() == [
        "2 messages read, 1 reports taken in.",
        "  1 hard bounces: no such mailbox, so nothing is sent there any more",
        "  1 prove nothing about a mail of ours, and changed nothing",
    ]


@pytest.mark.sqlite
def test_a_path_that_is_not_there_is_named(settings: Settings, database: Database, tmp_path: Path) -> None:
    assert "nowhere.eml: cannot be read" in refused(
        settings, "bounces", "ingest", str(tmp_path / "nowhere.eml")
    )


@pytest.mark.sqlite
def test_an_empty_folder_is_no_trouble(settings: Settings, database: Database, tmp_path: Path) -> None:
    assert ingest(settings, write(tmp_path / "in")) == {}


def test_a_message_of_any_size_is_read_no_further_than_its_beginning(
    settings: Settings, taken: list[Message], tmp_path: Path
) -> None:
    large = dsn(taken[0].sender, returned=original(to="x") + b"\r\n" + b"x" * 3_000_000)
    assert ingest(settings, write(tmp_path / "in", large))["applied"] == 1
