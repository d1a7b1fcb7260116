"""The linter finds each fault in a mail that is clean but for that one."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from blog.delivery.email import Email
from blog.delivery.lint import lint
from blog.delivery.mime import serialise

HTML = """<!doctype html>
<html lang="en" dir="ltr"><head><title>Hello</title><style>p { color: #111111; }</style></head>
<body><div lang="en" dir="ltr"><h1>Hello</h1>
<p><a href="https://example.org/a">Read</a></p>
</div></body></html>
"""
TEXT = "Hello\n\nhttps://example.org/a\n"
LIST = {
    "List-Id": "News <digest.example.org>",
    "List-Unsubscribe": "<https://example.org/unsubscribe/x>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Feedback-ID": "1:weekly:digest:exampleorg",
}


def mail(text: str = TEXT, html: str = HTML, headers: dict[str, str] | None = None) -> bytes:
    email = Email(
        to="jane@example.com",
        subject="Hello",
        text=text,
        html=html,
        message_id="<42@example.org>",
        sender="News <news@example.org>",
        headers=LIST if headers is None else headers,
    )
    return serialise(email, datetime(2025, 5, 30, tzinfo=UTC))


def test_a_clean_mail_has_no_problem() -> None:
    assert lint(mail()) == []
    assert lint(mail(headers={"Auto-Submitted": "auto-generated"})) == []


def replacing(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new, 1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (replacing(b"\r\n", b"\n"), "bare CR or LF"),
        (replacing(b"Hello\r\n", b"He\0llo\r\n"), "NUL"),
        (replacing(b"Hello\r\n", "Héllo\r\n".encode()), "above 127"),
        (replacing(b"Subject: Hello", b"Subject: " + b"x" * 1000), "octets, 998"),
        (replacing(b"MIME-Version: 1.0\r\n", b""), "MIME-Version occurs 0 times"),
        (replacing(b"Subject:", b"Subject: again\r\nSubject:"), "Subject occurs 2 times"),
        (replacing(b"List-Id:", b"List-Id: x\r\nList-Id:"), "list-id occurs more than once"),
        (replacing(b"Subject: Hello", b"Subject: "), "Subject is empty"),
        (replacing(b"Subject: Hello", b"Subject: =?utf-8?q??="), "encoded word"),
        (replacing(b"Subject: Hello", b"Subject: =?utf-8?q?" + b"x" * 70 + b"?="), "longer than 75"),
        (replacing(b"<https://example.org/unsubscribe/x>", b"=?utf-8?q?=3Chttps?="), "encoded word"),
        (replacing(b"<https://example.org/unsubscribe/x>", b"https://example.org/x"), "List-Unsubscribe is"),
        (replacing(b"<https://example.org/unsubscribe/x>", b"<http:/example.org>"), "List-Unsubscribe is"),
        (replacing(b"=One-Click", b"=Two-Clicks"), "List-Unsubscribe-Post is not"),
        (replacing(b"List-Unsubscribe: <https://example.org/unsubscribe/x>\r\n", b""), "without List-Unsub"),
        (replacing(b"List-Id: News <digest.example.org>\r\n", b""), "needs a List-Id"),
        (replacing(b"1:weekly:digest:exampleorg", b"a:b:c:d:exampleorg"), "Feedback-ID"),
        (replacing(b"<42@example.org>", b"42@example.org"), "Message-ID is not"),
        (replacing(b"+0000", b"GMT"), "Date is not"),
        (replacing(b"2025", b"2999"), "Date is not"),
        (replacing(b"Subject: Hello", b"Subject: Hello\r\nno field at all"), "no field"),
        (replacing(b"multipart/alternative", b"multipart/mixed"), "not multipart/alternative"),
        (replacing(b"text/plain", b"text/html"), "not text first"),
        (replacing(b"quoted-printable", b"8bit"), "not quoted-printable"),
        (replacing(b'charset="utf-8"', b'charset="latin-1"'), "charset=utf-8"),
        (replacing(b"Hello\r\n\r\n", b"x" * 77 + b"\r\n\r\n"), "encoded line above 76"),
    ],
)  # fmt: skip
def test_a_fault_in_the_bytes_is_found(spoil: Callable[[bytes], bytes], words: str) -> None:
    spoiled = spoil(mail())
    assert spoiled != mail()
    assert any(words in problem for problem in lint(spoiled)), lint(spoiled)


def test_a_single_mail_has_to_say_that_a_program_sent_it() -> None:
    assert lint(mail(headers={})) == ["a single mail needs Auto-Submitted: auto-generated (RFC 3834 §5)"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<!doctype html>", "", "does not start with <!doctype"),
        ('<html lang="en" dir="ltr">', "<html>", "<html> needs lang and dir"),
        ('<div lang="en" dir="ltr">', "<div>", "inside <body> needs lang"),
        ("<title>Hello</title>", "", "no title"),
        ("<h1>Hello</h1>", "", "0 headings of the first level"),
        ("<p>", "<script>x</script><p>", "<script> does not belong"),
        ("<p>", "<form></form><p>", "<form> does not belong"),
        ("<p>", '<link rel="stylesheet" href="https://example.org/x.css"><p>', "<link> does not belong"),
        ("<p>", '<p onclick="x()">', "event handler"),
        ("<p>", "<table></table><p>", 'without role="presentation"'),
        ("<p>", '<img src="https://example.org/x.png" width="10"><p>', "without alt"),
        ("<p>", '<img src="https://example.org/x.png" alt=""><p>', "without a width"),
        ("<p>", '<img src="https://example.org/x.png" alt="" width="1"><p>', "tracker"),
        ("<p>", '<img src="data:image/png;base64,AA" alt="" width="9"><p>', "not an absolute https"),
        ("https://example.org/a", "/a", "not an absolute https"),
        ("https://example.org/a", "http://example.org/a", "not an absolute https"),
        ("https://example.org/a", "javascript:x()", "not an absolute https"),
        ("p { color: #111111; }", "@import 'https://example.org/x.css';", "fetches something"),
        ("p { color: #111111; }", "p { background: url(https://example.org/x.png); }", "fetches something"),
        ("<p>", '<p style="background: url(https://example.org/x.png)">', "fetches a background"),
        ("p { color: #111111; }", "p { color: #111111; } " * 500, "a style element of"),
        ("<p>", "<p>" + "word " * 17_000, "octets, 80000"),
    ],
)
def test_a_fault_in_the_html_is_found(old: str, new: str, words: str) -> None:
    assert old in HTML
    assert any(words in problem for problem in lint(mail(html=HTML.replace(old, new, 1))))


def test_addresses_of_a_developers_own_machine_need_no_certificate() -> None:
    assert lint(mail(html=HTML.replace("https://example.org/a", "http://127.0.0.1:8000/a"))) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n", "empty"),
        ("word " * 20 + "\n", "columns, 72"),
        ("Hello \n", "ends with a blank"),
        ("word\n" * 5000, "more than 20000"),
    ],
)
def test_a_fault_in_the_text_is_found(text: str, words: str) -> None:
    assert any(words in problem for problem in lint(mail(text=text)))


def test_long_addresses_and_words_may_stand_on_a_long_line() -> None:
    text = "https://example.org/" + "x" * 100 + "\n" + "x" * 90 + "\n- " + "x" * 90 + "\n-- \nNews\n"
    assert lint(mail(text=text)) == []
