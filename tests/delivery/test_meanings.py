"""The table of replies: each refusal is about the address, the moment, or us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog import clock
from blog.db import Database
from blog.delivery import control, meanings
from blog.delivery.events import Event
from blog.delivery.meanings import Meaning, Part
from blog.delivery.models import DeliveryEvent, MailingState, Suppression
from blog.settings import Settings
from tests.commanding import blog
from tests.delivery.test_sender import account, make, send
from tests.mailings import address_of
from tests.relay import Script, relay

RCPT, CONTENT = Part.RECIPIENT, Part.CONTENT


@pytest.mark.parametrize(
    ("part", "reply", "meaning"),
    [
        (RCPT, "421 4.3.2 shutting down", Meaning.RELAY),
        (RCPT, "450 4.2.0 greylisted, try again later", Meaning.LATER),
        (RCPT, "452 4.2.2 mailbox full", Meaning.LATER),
        (CONTENT, "421 4.7.28 unusual rate of unsolicited mail from your IP", Meaning.SLOWER),
        (CONTENT, "451 4.7.28 unusual rate of mail", Meaning.SLOWER),
        (RCPT, "421 4.7.0 [TSS04] messages temporarily deferred due to unexpected volume", Meaning.SLOWER),
        (RCPT, "421 RP-001 some messages exceeded the rate limit", Meaning.SLOWER),
        (RCPT, "451 4.7.500 server busy, try again later", Meaning.SLOWER),
        (RCPT, "451 4.7.650 rate limited due to IP reputation (S775)", Meaning.SLOWER),
        (RCPT, "451 4.3.2 please try again later", Meaning.SLOWER),
        (RCPT, "451 too many connections from your host", Meaning.SLOWER),
        (RCPT, "450 4.7.1 you are sending mail too fast", Meaning.SLOWER),
        (RCPT, "451 4.7.1 greylisting in action, come back later", Meaning.LATER),
        (RCPT, "450 4.2.1 this user is receiving mail too quickly", Meaning.LATER),
        (RCPT, "451 4.3.0 local error", Meaning.LATER),
        (RCPT, "451 try again later", Meaning.LATER),
        (RCPT, "550 5.7.1 part of your network is on our block list (S3150)", Meaning.OURS),
        (RCPT, "550 5.1.1 no such user", Meaning.BAD_ADDRESS),
        (RCPT, "550 5.1.10 null MX", Meaning.BAD_ADDRESS),
        (RCPT, "550 5.2.1 mailbox disabled", Meaning.BAD_ADDRESS),
        (RCPT, "550 5.7.17 mailbox owner has changed", Meaning.BAD_ADDRESS),
        (RCPT, "550 no such user here", Meaning.BAD_ADDRESS),
        (RCPT, "550 5.1.8 bad sender's address", Meaning.OURS),
        (RCPT, "554 5.7.1 relay access denied", Meaning.OURS),
        (CONTENT, "550 5.7.26 unauthenticated sender", Meaning.OURS),
        (CONTENT, "550 5.7.515 does not meet the required authentication level", Meaning.OURS),
        (CONTENT, "552 5.3.4 message too big", Meaning.OURS),
        (CONTENT, "552 too big", Meaning.OURS),
        (CONTENT, "554 5.6.0 bad content", Meaning.OURS),
        (RCPT, "530 authentication required", Meaning.OURS),
        (RCPT, "552 5.2.2 mailbox full", Meaning.REFUSED),
        (RCPT, "553 5.6.7 no international addresses", Meaning.REFUSED),
        (CONTENT, "550 5.1.1 no such user after all", Meaning.REFUSED),
        (CONTENT, "554 no", Meaning.REFUSED),
    ],
)
def test_each_reply_is_laid_at_the_right_door(part: Part, reply: str, meaning: Meaning) -> None:
    code, _, words = reply.partition(" ")
    assert meanings.of(part, int(code), words) is meaning


@given(st.sampled_from(list(Part)), st.integers(200, 599), st.text(max_size=30))
def test_every_reply_has_a_meaning_and_only_the_recipient_can_have_a_bad_address(
    part: Part, code: int, words: str
) -> None:
    meaning = meanings.of(part, code, words)
    assert meaning is not Meaning.BAD_ADDRESS or part is Part.RECIPIENT
    assert meaning in (Meaning.LATER, Meaning.SLOWER, Meaning.RELAY) or code // 100 != 4


@pytest.mark.parametrize("fault", ["dot 554 5.7.1 ada@example.org: not from you", "rcpt 554 5.7.1 denied"])
def test_a_relay_that_refuses_us_stops_the_issue_and_nobody_is_lost_or_repeated(
    database: Database, settings: Settings, fault: str
) -> None:
    mailing = make(database, 30)
    refusing = True
    with relay(Script(fault=lambda _recipient: fault if refusing else "")) as server:
        send(database, server, connections=1)
        stopped = account(database, mailing)
        assert stopped["pending"] + stopped["failed"] == 30
        assert 3 <= stopped["failed"] <= 4  # the next one may be on the wire by then
        with database.reading() as session:
            assert control.state_of(session, mailing) == MailingState.PAUSED
            assert session.query(Suppression).count() == 0
            words = session.query(DeliveryEvent).filter_by(event=Event.STOPPED).one().words
        assert words.startswith("554 5.7.1")
        assert "ada@" not in words
        said = blog(settings, "digest", "status", str(mailing))
        assert "stopped, since the relay refuses us: 554 5.7.1" in said
        assert f"blog digest resume {mailing}" in said

        refusing = False
        with database.transaction() as session:
            control.move(session, mailing, Event.RESUMED, clock.now())
        send(database, server, connections=1)
    assert account(database, mailing) == {"eligible": 30, "accepted": 30}
    assert sorted(message.recipient for message in server.messages) == sorted(map(address_of, range(30)))


def test_a_refusal_now_and_then_stops_nothing(database: Database) -> None:
    mailing = make(database, 30)
    some = {address_of(number) for number in range(0, 30, 3)}
    with relay(Script(fault=lambda who: "dot 554 5.7.1 no" if who in some else "")) as server:
        send(database, server, connections=1)
    assert account(database, mailing) == {"eligible": 30, "accepted": 20, "failed": 10}
