"""Returned mail of every kind is read for what it says; what is none is left alone; nothing raises."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blog.bounces import reading
from blog.bounces.codes import code_in, kind_of
from blog.bounces.reports import Kind
from blog.delivery.verp import Tag
from tests.bounces.letters import arf, dsn, letter, original

TO = "bounces+d12-abcdefghijklmnop@example.org"


def kind(raw: bytes) -> Kind | None:
    report = reading.read(raw)
    return report.kind if report else None


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        ("5.1.1", "550 5.1.1 user unknown", Kind.HARD),
        ("5.1.2", "", Kind.HARD),
        ("5.1.3", "", Kind.HARD),
        ("5.1.6", "", Kind.HARD),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Kind.HARD),
        ("5.2.1", "550 5.2.1 the account is disabled", Kind.HARD),
        ("5.2.2", "552 5.2.2 over quota", Kind.FULL),
        ("4.2.2", "452 4.2.2 the mailbox is full", Kind.FULL),
        ("4.4.1", "connect to mx.example.net: connection timed out", Kind.SOFT),
        ("4.4.7", "message expired", Kind.SOFT),
        ("5.4.7", "delivery time expired", Kind.SOFT),
        ("5.3.0", "mail system error", Kind.SOFT),
        ("5.7.1", "550 5.7.1 rejected by policy", Kind.OURS),
        ("5.7.26", "550 5.7.26 unauthenticated mail", Kind.OURS),
        ("5.7.515", "550 5.7.515 access denied, the sender does not meet the requirements", Kind.OURS),
        ("5.3.4", "552 5.3.4 message too big", Kind.OURS),
        ("5.2.3", "message too long for this mailbox", Kind.OURS),
        ("5.5.2", "syntax error", Kind.OURS),
        ("5.6.1", "media not supported", Kind.OURS),
        ("5.1.8", "bad sender's system address", Kind.OURS),
        ("5.0.0", "550 5.1.1 no such user here", Kind.HARD),
        ("5.0.0", "550 user unknown", Kind.HARD),
        ("5.0.0", "550 blocked: user unknown to our reputation list", Kind.OURS),
        ("5.0.0", "554 your host is on a blocklist", Kind.OURS),
        ("5.0.0", "550 mailbox unavailable", Kind.UNSURE),
        ("5.4.1", "550 5.4.1 recipient address rejected: access denied", Kind.UNSURE),
        ("", "552 the mailbox is full", Kind.FULL),
        ("", "host not found", Kind.HARD),
        ("", "", Kind.UNSURE),
        ("nonsense", "", Kind.UNSURE),
    ],
)
def test_codes_and_words_say_whose_fault_it_is(status: str, words: str, expected: Kind) -> None:
    assert kind_of(status, words) is expected


def test_a_code_is_told_from_an_address_and_from_a_version() -> None:
    assert code_in("host 5.1.1.9 said: 550 no") == "5.0.0"
    assert code_in("Exim 4.96.1.2") == ""
    assert code_in("said: 550-5.1.1 The account") == "5.1.1"


def test_a_report_names_its_mail_by_where_it_came_back_to_and_by_what_it_brings_back() -> None:
    returned = original(
        message_id="<1.ab@example.org>", link="L" * 44, tag="<s9-ponmlkjihgfedcba@mail.invalid>"
    )
    report = reading.read(dsn(TO, returned=returned))
    assert report is not None
    assert report.naming.tags == (Tag(True, 12, "abcdefghijklmnop"), Tag(False, 9, "ponmlkjihgfedcba"))
    assert report.naming.links == ("L" * 44,)
    assert report.naming.message_ids == ("<1.ab@example.org>",)
    assert report.code == "5.1.1"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("550 5.1.1 User unknown", Kind.HARD),
        ("552 5.2.2 over quota", Kind.FULL),
        ("550 5.7.1 blocked", Kind.OURS),
        ("no idea", Kind.UNSURE),
    ],
)
def test_a_report_that_gives_no_reason_is_read_with_the_letter_beside_it(said: str, expected: Kind) -> None:
    letter_part = b"Your message could not be delivered."
    raw = dsn("bounces@example.org", status="5.0.0").replace(
        b"Diagnostic-Code: smtp; 550 5.1.1 no such mailbox\r\n", b""
    )
    raw = raw.replace(letter_part, letter_part + f"\r\nada@example.org: {said}".encode())
    found = reading.read(raw)
    assert found is not None
    assert found.kind is expected


def test_the_words_of_a_report_hold_no_address() -> None:
    report = reading.read(
        dsn(TO, diagnostic="smtp; 550 5.1.1 <ada@example.org>: no such user ada@example.org")
    )
    assert report is not None
    assert report.words == "550 5.1.1 <<address>>: no such user <address>"


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_a_report_of_anything_but_a_failure_for_good_is_none(action: str) -> None:
    assert reading.read(dsn(TO, action=action)) is None


def test_an_address_behind_which_one_mailbox_of_two_has_it_has_not_failed() -> None:
    both = dsn(TO).replace(
        b"Final-Recipient",
        b"Final-Recipient: rfc822; b@x.example\r\nAction: delivered\r\n\r\nFinal-Recipient",
        1,
    )
    assert reading.read(both) is None


def test_a_complaint_is_read_whatever_the_provider_has_blackened() -> None:
    report = reading.read(arf("fbl@example.org", original(tag="<d12-abcdefghijklmnop@mail.invalid>")))
    assert report is not None
    assert report.kind is Kind.COMPLAINT
    assert report.naming.tags == (Tag(True, 12, "abcdefghijklmnop"),)


@pytest.mark.parametrize("feedback", ["not-spam", "auth-failure", "virus", "other", ""])
def test_feedback_of_another_type_is_no_complaint(feedback: str) -> None:
    assert kind(arf("fbl@example.org", original(tag="<d12-abcdefghijklmnop@mail.invalid>"), feedback)) is None


QMAIL = """Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
{why}

--- Below this line is a copy of the message.

Subject: Weekly digest
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    {why}
"""
POSTFIX_OLD = """This is the Postfix program at host mx.example.net.

<ada@example.org>: {why}
"""


@pytest.mark.parametrize("form", [QMAIL, EXIM], ids=["qmail", "exim"])
@pytest.mark.parametrize(
    ("why", "expected"),
    [
        ("Sorry, no mailbox here by that name. (#5.1.1)", Kind.HARD),
        ("550 5.1.1 unknown user", Kind.HARD),
        ("552 the mailbox is full", Kind.FULL),
        ("554 5.7.1 blocked because of the sender's reputation", Kind.OURS),
        ("550 something went wrong", Kind.UNSURE),
    ],
)
def test_a_bounce_in_plain_words_is_read_as_well(form: str, why: str, expected: Kind) -> None:
    assert kind(letter(TO, form.format(why=why))) is expected


def test_a_server_that_only_gives_the_code_is_understood() -> None:
    text = POSTFIX_OLD.format(why="host mx said: 550 5.1.1 user unknown (in reply to RCPT TO)")
    assert kind(letter(TO, text, subject="Undelivered Mail Returned to Sender")) is Kind.HARD


@pytest.mark.parametrize(
    "raw",
    [
        letter(TO, "I am away until Monday. 550 5.1.1 is our postcode.", "ada@example.org", "Away"),
        letter(TO, "Thank you, I liked No. 3!", "ada@example.org", "Re: Weekly digest"),
        letter(
            TO,
            "Your message is delayed. It will be retried; there is nothing to do.",
            subject="Warning: delayed",
        ),
        b"",
        b"\0\xff",
        b"Content-Type: multipart/report; boundary=\r\n\r\n",
    ],
)
def test_answers_absences_warnings_and_noise_are_no_bounces(raw: bytes) -> None:
    assert reading.read(raw) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000))
@example(b"Content-Type: message/delivery-status\n\n\xff")
@example(b"Content-Type: message/feedback-report; charset=nonsense\n\n\n\n")
def test_no_bytes_make_the_reader_raise(raw: bytes) -> None:
    reading.read(raw)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([dsn(TO), arf(TO, original(to="a@b.example")), letter(TO, QMAIL)]), st.data())
def test_no_damage_to_a_real_one_does_either(raw: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))
    reading.read(raw[:start] + data.draw(st.binary(max_size=30)) + raw[end:])


@pytest.mark.parametrize(
    "raw",
    [
        letter(TO, "<" * 200_000),
        letter(TO, "550 " * 60_000),
        letter(TO, "a@" * 100_000),
        letter(TO, ("d" + "1" * 17 + "-") * 10_000),
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\n" * 20_000,
        dsn(TO).replace(b"Action", b"X: y\r\n" * 15_000 + b"Action"),
        letter(TO, " \n" * 100_000),
        letter(TO, "user " * 40_000),
    ],
    ids=range(8),
)
def test_no_size_or_shape_takes_longer_than_a_second(raw: bytes) -> None:
    started = time.process_time()
    reading.read(raw)
    assert time.process_time() - started < 1.0
