"""The linter finds each fault in a mail that is clean but for that one; every rule has such a fault."""

import ast
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from blog.delivery.email import Email
from blog.delivery.lint import RULES, lint
from blog.delivery.mime import serialise
from blog.delivery.opened import Opened
from blog.settings import ROOT

HTML = """<!doctype html>
<html lang="en" dir="ltr"><head><title>Hello</title><style>p { color: #111111; }</style></head>
<body><div lang="en" dir="ltr"><h1>Hello</h1>
<p><a href="https://example.org/a">Read on</a> <a href="https://example.org/unsubscribe/x">Leave</a></p>
</div></body></html>
"""
TEXT = "Hello\n\nRead on: https://example.org/a\nLeave: https://example.org/unsubscribe/x\n"
LIST = {
    "List-Id": "News <digest.example.org>",
    "List-Unsubscribe": "<https://example.org/unsubscribe/x>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Archive": "<https://example.org/digests>",
    "Archived-At": "<https://example.org/digests/7>",
    "Feedback-ID": "1:weekly:digest:exampleorg",
    "Precedence": "bulk",
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "OOF, AutoReply",
}
SINGLE = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"}


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
    assert lint(mail(headers=SINGLE)) == []


Spoil = Callable[[bytes], bytes]


def put(old: str | bytes, new: str | bytes) -> Spoil:
    before, after = (one.encode() if isinstance(one, str) else one for one in (old, new))
    return lambda raw: raw.replace(before, after, 1)


def html(old: str, new: str) -> Spoil:
    assert old in HTML
    return lambda _raw: mail(html=HTML.replace(old, new, 1))


def text(said: str) -> Spoil:
    return lambda _raw: mail(text=said)


def heads(**changes: str) -> Spoil:
    return lambda _raw: mail(headers={**LIST, **{k.replace("_", "-"): v for k, v in changes.items()}})


UNSUBSCRIBE = "<https://example.org/unsubscribe/x>"
PICTURE = '<img src="https://example.org/x.png" alt="Hello" width="10">'
FAULTS: list[tuple[str, Spoil, str]] = [
    ("U1", put(UNSUBSCRIBE, "https://example.org/x"), "List-Unsubscribe is"),
    ("U1", put(UNSUBSCRIBE, "<http:/example.org>"), "List-Unsubscribe is"),
    ("U1", put("=One-Click", "=Two-Clicks"), "List-Unsubscribe-Post is not"),
    ("U1", put(f"List-Unsubscribe: {UNSUBSCRIBE}\r\n", ""), "without List-Unsub"),
    ("H1", put("List-Id: News <digest.example.org>\r\n", ""), "needs a List-Id"),
    ("H1", put("News <digest.example.org>", "<digest.example.org>"), "List-Id is not a name"),
    ("H2", put("<https://example.org/digests>", "https://example.org/digests"), "List-Archive is not"),
    ("H2", put("<https://example.org/digests/7>", "here"), "Archived-At is not"),
    ("H3", put(UNSUBSCRIBE, "=?utf-8?q?=3Chttps?="), "List-Unsubscribe holds an encoded word"),
    ("H3", put("digests/7>", "digests/é>"), "Archived-At is not plain ASCII"),
    ("H3", put("unsubscribe/x>", "unsub\r\n scribe/x>"), "List-Unsubscribe is folded"),
    ("H4", put("auto-generated", "no"), "needs Auto-Submitted"),
    ("H4", put("OOF", "none"), "Exchange would answer"),
    ("H5", lambda _raw: mail(headers={**SINGLE, "Precedence": "bulk"}), "Precedence is for"),
    ("H5", put("Precedence: bulk", "Precedence: junk"), "Precedence is for"),
    ("H6", put("1:weekly:digest:exampleorg", "a:b:c:d:exampleorg"), "Feedback-ID"),
    ("H6", put("1:weekly:digest:exampleorg", "jane@example.com:exampleorg"), "Feedback-ID"),
    ("M1", put("MIME-Version: 1.0\r\n", ""), "MIME-Version occurs 0 times"),
    ("M1", put("Subject:", "Subject: again\r\nSubject:"), "Subject occurs 2 times"),
    ("M1", put("List-Id:", "List-Id: x\r\nList-Id:"), "list-id occurs more than once"),
    ("M1", put("Subject: Hello", "Subject: "), "Subject is empty"),
    ("M1", put("Subject: Hello", "Subject: Hello\r\nno field at all"), "no field"),
    ("M2", put("<42@example.org>", "42@example.org"), "Message-ID is not"),
    ("M2", put("<42@example.org>", "<42@localhost>"), "Message-ID names localhost"),
    ("M2", put("<42@example.org>", "<jane.42@example.org>"), "Message-ID names the recipient"),
    ("M3", put("+0000", "GMT"), "Date is not"),
    ("M3", put("+0000", "+0200"), "Date is not"),
    ("M3", put("Fri, 30 May 2025", "Thu, 30 May 2999"), "Date is not past"),
    ("M4", put("\r\n", "\n"), "bare CR or LF"),
    ("M4", put("Hello\r\n", "He\0llo\r\n"), "NUL"),
    ("M4", put("Subject: Hello", "Subject: " + "x" * 1000), "octets, 998"),
    ("M5", put("quoted-printable", "8bit"), "not quoted-printable"),
    ("M5", put("Hello\r\n\r\n", "x" * 77 + "\r\n\r\n"), "encoded line above 76"),
    ("M6", put("Subject: Hello", "Subject: =?utf-8?q??="), "encoded word that is empty"),
    ("M6", put("Subject: Hello", "Subject: =?utf-8?q?" + "x" * 70 + "?="), "longer than 75"),
    ("M7", put("multipart/alternative", "multipart/mixed"), "not multipart/alternative"),
    ("M7", put("text/plain", "text/html"), "not text first"),
    ("M7", put('charset="utf-8"', 'charset="latin-1"'), "charset=utf-8"),
    ("M7", lambda raw: raw.replace(b"\nHello", b"\n--" + boundary(raw) + b"x", 1), "boundary occurs"),
    ("M8", put("Subject: Hello", "Subject: He\x07llo"), "Subject holds a control"),
    ("M8", put("Subject: Hello", "Subject: Hello\r\nBcc: eve@example.org"), "Bcc is a field"),
    ("M10", put("To: jane@example.com", "To: jane@example.com, eve@example.org"), "To is not one"),
    ("M10", put("/unsubscribe/x>", "/unsubscribe/jane@example.com>"), "stands in another field"),
    ("M11", put("news@example.org", "no-reply@example.org"), "nobody reads"),
    ("M11", put("News <news@example.org>", "a@example.org, b@example.org"), "From is not one"),
    ("M12", html("<p>", "<script>x</script><p>"), "<script> does not belong"),
    ("M12", html("<p>", "<form></form><p>"), "<form> does not belong"),
    ("M12", html("<p>", '<link rel="stylesheet" href="https://example.org/x.css"><p>'), "<link> does not"),
    ("M12", html("<p>", '<p onclick="x()">'), "event handler"),
    ("M12", html("<p>", '<img src="data:image/png;base64,AA" alt="" width="9"><p>'), "not an absolute https"),
    ("M12", html("https://example.org/a", "/a"), "not an absolute https"),
    ("M12", html("https://example.org/a", "http://example.org/a"), "not an absolute https"),
    ("M12", html("https://example.org/a", "javascript:x()"), "not an absolute https"),
    ("M12", html("<p>", '<p style="background: url(https://example.org/x.png)">'), "fetches a background"),
    ("M13", put("Hello\r\n", "Héllo\r\n".encode()), "above 127"),
    ("Q1", html("<p>", "<p>" + "word " * 17_000), "octets, 80000"),
    ("Q1", html("<p>", "<p>" + '<a href="https://example.org/a">Read on</a>' * 60), "links, 60"),
    ("Q1", html("/unsubscribe/x", "/gone/x"), "no link to leave"),
    ("Q2", html("p { color: #111111; }", "p { color: #111111; } " * 500), "a style element of"),
    ("Q2", html("p { color: #111111; }", "@import 'https://example.org/x.css';"), "fetches something"),
    ("Q2", html("p {", "p { background: url(https://example.org/x.png); "), "fetches something"),
    ("Q3", text(TEXT.replace("https://example.org/a", "")), "lacks an address"),
    ("Q3", text("https://example.org/a https://example.org/unsubscribe/x\n"), "of the words of the HTML"),
    ("Q3", html("<p>", PICTURE.replace("Hello", "A queue of people") + "<p>"), "what a picture shows"),
    ("Q3", text("\n"), "empty"),
    ("Q3", text(TEXT + "word " * 20 + "\n"), "columns, 72"),
    ("Q3", text("Hello \n" + TEXT), "ends with a blank"),
    ("Q3", text(TEXT + "word\n" * 5000), "more than 20000"),
    ("Q4", html("<p>", PICTURE.replace('alt="Hello"', "") + "<p>"), "without alt"),
    ("Q4", html("<p>", PICTURE.replace('width="10"', "") + "<p>"), "without a width"),
    ("Q4", html("<p>", PICTURE.replace(".png", ".webp") + "<p>"), "of a kind"),
    ("Q5", html("<!doctype html>", ""), "does not start with <!doctype"),
    ("Q5", html('<html lang="en" dir="ltr">', "<html>"), "<html> needs lang and dir"),
    ("Q5", html('<div lang="en" dir="ltr">', "<div>"), "in <body> needs lang"),
    ("Q5", html("<title>Hello</title>", ""), "no title"),
    ("Q5", html("<title>Hello", "<title>Goodbye"), "not the subject"),
    ("Q5", html("<h1>Hello</h1>", ""), "0 headings of the first level"),
    ("Q5", html("<p>", "<h3>Hello</h3><p>"), "a level of headings"),
    ("Q5", html("<p>", "<table></table><p>"), 'without role="presentation"'),
    ("Q5", html(">Read on<", ">here<"), "words say nothing"),
    ("Q5", html('/a">', '/a" style="text-decoration: none">'), "does not look like one"),
    ("Q5", html("<p>", '<p style="color: #999999">'), "contrast below"),
    ("Q5", html("<p>", '<p style="font-size: 11px">'), "words of 11px"),
    ("Q8", html("<p>", '<p style="display: none">'), "nobody sees"),
    ("Q8", html("<p>", '<p style="mso-hide: all">Hello'), "Outlook hides"),
    ("Q9", html("<p>", PICTURE.replace('"10"', '"1"') + "<p>"), "tracker"),
]  # fmt: skip


def boundary(raw: bytes) -> bytes:
    return (Opened(raw).message.get_boundary() or "").encode()


@pytest.mark.parametrize(("rule", "spoil", "words"), FAULTS, ids=[f"{r} {w}" for r, _, w in FAULTS])
def test_a_fault_is_found_by_its_rule(rule: str, spoil: Spoil, words: str) -> None:
    spoiled = spoil(mail())
    assert spoiled != mail()
    assert any(words in problem for problem in RULES[rule](Opened(spoiled))), lint(spoiled)


#: The rules that no mail's bytes can show, and the test that shows each.
SHOWN_ELSEWHERE = {
    "H7": "nothing here answers mail that comes in",
    "M9": "tests/delivery/test_mail.py::test_a_mail_arrives_as_it_was_written",
    "Q6": "tests/gates/test_mails.py::test_mail_programs_support_what_the_mails_are_made_of",
    "Q7": "tests/gates/test_mails.py::test_no_mail_looks_like_spam",
}


def test_every_rule_has_a_fault_that_shows_it() -> None:
    numbered = {"H": range(1, 8), "M": range(1, 14), "Q": range(1, 10)}
    wanted = {f"{letter}{number}" for letter, numbers in numbered.items() for number in numbers}
    assert {rule for rule, _, _ in FAULTS} == set(RULES)
    assert set(RULES) - {"U1"} | set(SHOWN_ELSEWHERE) == wanted


def test_a_random_name_that_ends_as_the_address_begins_is_nobodys() -> None:
    drawn = mail().replace(b"<42@example.org>", b"<42.x7jane@example.com>")
    assert list(RULES["M10"](Opened(drawn))) == []
    for before in (b"", b"/", b"<", b" ", b"mailto:"):
        named = mail().replace(b"/unsubscribe/x>", b"/unsubscribe/x?" + before + b"jane@example.com>")
        assert len(list(RULES["M10"](Opened(named)))) == 1


def test_addresses_of_a_developers_own_machine_need_no_certificate() -> None:
    local = ("https://example.org/a", "http://127.0.0.1:8000/a")
    assert lint(mail(html=HTML.replace(*local), text=TEXT.replace(*local))) == []


def test_long_addresses_and_words_may_stand_on_a_long_line() -> None:
    long = "https://example.org/" + "x" * 100 + "\n" + "x" * 90 + "\n- " + "x" * 90 + "\n-- \nNews\n"
    assert lint(mail(text=TEXT + long)) == []


@pytest.mark.parametrize("place", [place for place in SHOWN_ELSEWHERE.values() if "::" in place])
def test_what_is_shown_elsewhere_is_there(place: str) -> None:
    file, name = place.split("::")
    found = ast.walk(ast.parse((ROOT / file).read_text()))
    assert name in {node.name for node in found if isinstance(node, ast.FunctionDef)}
