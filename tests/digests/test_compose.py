"""The bytes of an issue: the fast way equals the slow way, and every message passes the lint."""

import email
import email.policy
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blog.articles.models import Article, ArticleTopic
from blog.content.values import Site, Topic
from blog.delivery import mime, splice
from blog.delivery.lint import lint
from blog.digests import compose
from blog.digests.compose import Press
from blog.digests.plan import Edition
from blog.links import Links
from blog.subscribers.models import Cadence
from blog.templating import mail_environment
from blog.tokens import Purpose, Tokens

TOKENS = Tokens((b"k" * 32,))
TEMPLATES = mail_environment()
DATE = datetime(2026, 11, 20, 9, tzinfo=UTC)


def press(**changes: object) -> Press:
    values: dict[str, object] = {
        "site": Site(name="Signal & System", topics=(Topic("ai", "AI"),)),
        "links": Links("https://news.example.org"),
        "sender": "Signal & System <digest@example.org>",
        "postal_address": "Example Ltd, 1 High Street, Exampletown",
        "templates": TEMPLATES,
        "cadence": Cadence.WEEKLY,
        "number": 7,
        "date": DATE,
    }
    return Press(**{**values, **changes})  # type: ignore[arg-type]


def edition(titles: list[str], description: str = "What it is about.", more: int = 0) -> Edition:
    articles = [
        Article(
            id=number, slug=f"piece-{number}", title=title, description=description, excerpt="An excerpt",
            minutes=6, published_at=DATE, live_at=DATE, extra={}, language="en",
            topics=[ArticleTopic(topic="ai", position=0)],
        )
        for number, title in enumerate(titles)
    ]  # fmt: skip
    return Edition(tuple(articles), more, ())


def filled(made: Press, what: Edition, public_id: str, to: str, message_id: str) -> bytes:
    segments = splice.split(compose.freeze(compose.draft(made, what), DATE))
    values = {
        compose.TO: to.encode(),
        compose.MESSAGE_ID: message_id.encode(),
        compose.UNSUBSCRIBE: TOKENS.capability(Purpose.UNSUBSCRIBE, public_id).encode(),
        compose.PREFERENCES: TOKENS.capability(Purpose.PREFERENCES, public_id).encode(),
    }
    return segments.fill(values)


titles = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=90
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(titles, min_size=1, max_size=4), titles, st.binary(min_size=16, max_size=16), st.integers(0, 9)
)
def test_a_spliced_message_says_the_same_as_one_built_slowly_for_the_recipient(
    names: list[str], description: str, raw_id: bytes, more: int
) -> None:
    made, what = press(), edition([name.strip() or "x" for name in names], description, more)
    to, message_id, public_id = "ada+news@example.org", "<7.abc@example.org>", raw_id.hex()
    fast = filled(made, what, public_id, to, message_id)
    tokens = {
        compose.UNSUBSCRIBE: TOKENS.capability(Purpose.UNSUBSCRIBE, public_id),
        compose.PREFERENCES: TOKENS.capability(Purpose.PREFERENCES, public_id),
    }
    slow = mime.serialise(compose.email_for(made, what, to, message_id, tokens), DATE)
    assert parsed(unstuffed(fast)) == parsed(slow)
    assert lint(unstuffed(fast)) == []


def parsed(raw: bytes) -> Mapping[str, object]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    headers = {name: str(value) for name, value in message.items() if name != "Content-Type"}
    bodies = {}
    for kind in ("plain", "html"):
        part = message.get_body((kind,))  # type: ignore[attr-defined]
        bodies[kind] = part.get_content()
    return {"headers": headers, "bodies": bodies}


def unstuffed(raw: bytes) -> bytes:
    return b"\r\n".join(line[1:] if line.startswith(b"..") else line for line in raw.split(b"\r\n"))


def test_one_click_unsubscribing_survives_on_the_wire() -> None:
    raw = filled(press(), edition(["A title"]), "ab" * 16, "ada@example.org", "<1@example.org>")
    token = TOKENS.capability(Purpose.UNSUBSCRIBE, "ab" * 16).encode()
    assert b"\r\nList-Unsubscribe: <https://news.example.org/unsubscribe/" + token + b">\r\n" in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_nothing_of_an_article_is_a_template_and_markup_is_escaped() -> None:
    what = edition(["{{ 7*7 }} <script>alert(1)</script>"], "{% raw %} <img src=x onerror=y>")
    made = press()
    message = parsed(filled(made, what, "ab" * 16, "ada@example.org", "<1@example.org>"))
    html = message["bodies"]["html"]  # type: ignore[index]
    assert "{{ 7*7 }}" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "49" not in message["headers"]["Subject"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["Ünïcode News 📰", 'Quote " and \\ back'])
def test_any_name_of_a_publication_makes_a_clean_message(name: str) -> None:
    made = press(site=Site(name=name))
    assert (
        lint(unstuffed(filled(made, edition(["A title"]), "ab" * 16, "a@example.org", "<1@example.org>")))
        == []
    )


def test_the_html_stays_far_below_the_size_at_which_mail_clients_clip() -> None:
    raw = filled(
        press(), edition(["A rather long title of an article"] * 20), "ab" * 16, "a@e.org", "<1@example.org>"
    )
    message = parsed(unstuffed(raw))
    assert len(message["bodies"]["html"].encode()) < 80_000  # type: ignore[index]


def test_double_braces_reach_the_inbox_as_they_are_written() -> None:
    braces = "On {{ 7 * 7 }} and {% raw %}"
    email = compose.email_for(press(), edition([braces], description=braces), "a@b.test", "<m@b.test>", MARKS)
    for part in (email.subject, email.text, email.html):
        assert braces in " ".join(part.split())


MARKS = {compose.UNSUBSCRIBE: "u", compose.PREFERENCES: "p"}
