"""A mail as bytes: the same for the same mail, within every limit, and nothing slips in."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from html import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blog.columns import wrapped
from blog.delivery.email import Email
from blog.delivery.headers import FIELDS, line, mailbox
from blog.delivery.lint import lint
from blog.delivery.mime import serialise

DATE = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)


def page(body: str, subject: str = "Hello", leave: str = "") -> str:
    link = f'<p><a href="{leave}">{leave}</a></p>' if leave else ""
    return (
        f'<!doctype html><html lang="en" dir="ltr"><head><title>{escape(subject)}</title></head>'
        f'<body><div lang="en" dir="ltr"><h1>{body}</h1>{link}</div></body></html>'
    )


SINGLE = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"}
LIST = {
    "List-Id": "Signal & System <digest.example.org>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Feedback-ID": "1:weekly:digest:exampleorg",
    **SINGLE,
}

nasty_words = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12),
    st.sampled_from(
        ["📰", "日本語の長い題名", "שלום", "e\u0301", "=?utf-8?q?x?=", "=C3", ".", "From", "--", "x" * 300]
    ),
)
lines = st.lists(nasty_words, min_size=1, max_size=12).map(" ".join)
bodies = st.lists(lines.map(wrapped), min_size=1, max_size=8).map("\n".join)
tokens = st.integers(10, 400).flatmap(lambda length: st.text("abcXYZ019-_", min_size=length, max_size=length))


def make(**changes: object) -> Email:
    values: dict[str, object] = {
        "to": "jane@example.com",
        "subject": "Hello",
        "text": "Hello\n",
        "html": page("Hello"),
        "message_id": "<42@example.org>",
        "sender": "News <news@example.org>",
        "headers": SINGLE,
    }
    return Email(**{**values, **changes})  # type: ignore[arg-type]


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def content(part: object) -> str:
    return str(part.get_content()).replace("\r\n", "\n")  # type: ignore[attr-defined]


def sender_in(raw: bytes) -> tuple[str, str]:
    # Not by the newer parser: it puts a space between two encoded words of a name, against RFC 2047 §6.2.
    written = message_from_bytes(raw)["From"]
    phrase, _, address = re.sub(r"\r\n ", " ", written).rpartition(" ")
    if phrase.startswith('"'):
        phrase = re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return str(make_header(decode_header(phrase))) if "=?" in phrase else phrase, address


@given(subject=lines, name=lines, body=bodies, token=tokens)
@example("a" * 74 + "📰", 'Näme, with "quotes" and \\', ".\n..\nFrom here\n-- ", "t" * 120)
@example("x" * 1200, "=?utf-8?q?x?=", "é" * 72, "t" * 10)
@example(
    "a subject of plain words that is longer than one line may be, so it has to be folded", "N", "x", "t" * 76
)
def test_nasty_mails_are_clean_and_read_back_as_they_were(
    subject: str, name: str, body: str, token: str
) -> None:
    url = f"https://news.example.org/unsubscribe/{token}"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    email = make(
        subject=subject,
        sender=f'"{quoted}" <news@example.org>',
        text=f"{body}\n{url}",
        html=page(escape(body), subject, url),
        headers={**LIST, "List-Unsubscribe": f"<{url}>, <mailto:leave+{token}@example.org>"},
    )
    raw = serialise(email, DATE)
    assert lint(raw) == []
    assert raw == serialise(email, DATE)

    message = parsed(raw)
    text, html = message.iter_parts()
    assert str(message["Subject"]) == subject
    assert sender_in(raw) == (name, "<news@example.org>")
    assert content(text) == f"{body}\n{url}\n"
    assert content(html) == email.html + "\n"
    assert message["List-Unsubscribe"] == email.headers["List-Unsubscribe"]


@given(tokens)
def test_an_unsubscribe_address_of_any_length_stays_literal(token: str) -> None:
    url = f"<https://news.example.org/unsubscribe/{token}>"
    raw = line("List-Unsubscribe", f"{url}, <mailto:leave@example.org>")
    assert re.fullmatch(rb"List-Unsubscribe: <https://[^>]+>,(\r\n)? <mailto:[^>]+>\r\n", raw)
    assert line("List-Unsubscribe", url) == f"List-Unsubscribe: {url}\r\n".encode()


@pytest.mark.parametrize(
    "poison", ["\r\nBcc: eve@example.org", "\nX: y", "\r", "\0", "\x0b", "\u2028", "\x85"]
)
@pytest.mark.parametrize("place", ["to", "subject", "message_id", "sender", *sorted(FIELDS)])
def test_no_value_can_begin_a_header_field(place: str, poison: str) -> None:
    if place in ("to", "subject", "message_id", "sender"):
        email = make(**{place: getattr(make(), place) + poison})
    else:
        email = make(headers={place: "<https://example.org/a>" + poison})
    with pytest.raises(ValueError):
        serialise(email, DATE)


@given(st.text(max_size=40))
def test_only_names_from_the_list_are_written(name: str) -> None:
    if name not in FIELDS:
        with pytest.raises(ValueError):
            line(name, "x")


@pytest.mark.parametrize("name", ["Bcc", "Cc", "X-Evil\r\nBcc", "subject", "Content-Type", ""])
def test_a_field_we_never_send_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        serialise(make(headers={name: "x"}), DATE)


@pytest.mark.parametrize("name", ["From", "To", "Subject", "Date", "Message-ID"])
def test_no_field_can_be_given_twice(name: str) -> None:
    with pytest.raises(ValueError, match="already"):
        serialise(make(headers={name: "<x@example.org>"}), DATE)


@pytest.mark.parametrize("to", ["", "a@b.c, d@e.f", "Jane <jane@example.com>", "a b@c.d", 'a"@b.c'])
def test_a_mail_goes_to_one_address(to: str) -> None:
    with pytest.raises(ValueError):
        serialise(make(to=to), DATE)


@pytest.mark.parametrize("message_id", ["", "x", "<x>", "<x@y", "<x y@z>", "<a@b> <c@d>"])
def test_a_message_id_that_is_none_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError):
        serialise(make(message_id=message_id), DATE)


def test_a_body_with_control_characters_is_refused() -> None:
    with pytest.raises(ValueError):
        serialise(make(text="a\0b"), DATE)
    with pytest.raises(ValueError):
        serialise(make(html=page("a\x1bb")), DATE)


def test_every_kind_of_line_break_becomes_crlf() -> None:
    raw = serialise(make(text="a\rb\r\nc\nd", html=page("a b c d")), DATE)
    assert b"a\r\nb\r\nc\r\nd\r\n" in raw
    assert lint(raw) == []


def test_a_line_without_end_is_broken_into_lines_of_76() -> None:
    raw = serialise(make(html=page("x" * 5000 + "é")), DATE)
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert parsed(raw).get_body(("html",)).get_content().count("x") >= 5000  # type: ignore[union-attr]


def test_a_recipient_outside_ascii_is_written_as_it_is() -> None:
    raw = serialise(make(to="josé@example.org"), DATE)
    assert "\r\nTo: josé@example.org\r\n".encode() in raw
    assert lint(raw) == []


def test_a_boundary_may_be_given() -> None:
    assert serialise(make(), DATE, boundary="=_mine").endswith(b"--=_mine--\r\n")


def test_the_time_is_written_in_utc() -> None:
    assert b"\r\nDate: Fri, 30 May 2025 09:00:00 +0000\r\n" in serialise(make(), DATE)


def test_holes_stand_only_where_they_are_wanted() -> None:
    holed = make(
        to="\0to\0",
        message_id="\0message_id\0",
        text="Leave: https://example.org/unsubscribe/\0unsubscribe\0\n",
        headers={**LIST, "List-Unsubscribe": "<https://example.org/unsubscribe/\0unsubscribe\0>"},
    )
    raw = serialise(holed, DATE, holes=True)
    assert raw.count(b"\0unsubscribe\0") == 2
    assert b"\r\nTo: \0to\0\r\nSubject" in raw
    with pytest.raises(ValueError):
        serialise(holed, DATE)


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("news@example.org", "", "news@example.org"),
        ("News <news@example.org>", "News", "news@example.org"),
        ('"News, daily" <news@example.org>', "News, daily", "news@example.org"),
        ("Signal & System <news@straße.de>", "Signal & System", "news@xn--strae-oqa.de"),
    ],
)
def test_a_mailbox_is_read(written: str, name: str, address: str) -> None:
    assert (mailbox(written).name, mailbox(written).address) == (name, address)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("List-Id", "digest.example.org", "<digest.example.org>"),
        ("List-Id", "Signal & System <digest.example.org>", "Signal & System <digest.example.org>"),
        ("From", '"News, daily" <n@example.org>', '"News, daily" <n@example.org>'),
        ("From", "n@example.org", "n@example.org"),
        ("Subject", "Hello", "Hello"),
        ("Subject", "Größe", "=?utf-8?b?R3LDtsOfZQ==?="),
        ("Date", "Fri, 30 May 2025 09:00:00 +0000", "Fri, 30 May 2025 09:00:00 +0000"),
    ],
)
def test_a_field_is_written_by_its_kind(name: str, value: str, written: str) -> None:
    assert line(name, value) == f"{name}: {written}\r\n".encode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Feedback-ID", "größe"),
        ("List-Help", ""),
        ("List-Help", "<https://example.org/" + "x" * 990 + ">"),
    ],
)
def test_a_value_that_cannot_stand_as_it_is_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError):
        line(name, value)


def test_a_mailbox_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is written as"):
        mailbox("News <news@example.org> and more")
